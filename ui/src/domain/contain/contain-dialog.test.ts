import { fireEvent, render, waitFor } from '@testing-library/svelte';
import { afterEach, describe, expect, it } from 'vitest';
import { demoPlatform } from '$ui/platform/demo/index';
import type { FakePlatform } from '$ui/platform/fake';
import { App, appContext } from '$ui/state/app.svelte';
import { hook } from '$ui/test-hook';
import ContainDialog from './contain-dialog.svelte';
import { closeContain, openContain, type ContainRequest } from './contain-request.svelte';

function show(request: ContainRequest): FakePlatform {
  const platform = demoPlatform();
  render(ContainDialog, { context: appContext(new App(platform)) });
  openContain(request);
  return platform;
}

describe('the containment dialog', () => {
  afterEach(() => closeContain());

  it('shows what it would do, then restricts the user for the incident', async () => {
    const platform = show({ kind: 'user', target: 'eve', incident: 42 });
    await waitFor(() => hook('contain-dialog'));
    await waitFor(() => expect(hook('contain-preview').textContent).toContain('security:revoked:user:eve'));
    await fireEvent.click(hook('contain-ttl-3600'));
    await fireEvent.click(hook('contain-confirm'));
    await waitFor(() =>
      expect(platform.calls.filter((call) => call.name === 'contain_add').map((call) => call.request)).toEqual([
        { kind: 'user', target: 'eve', reason: 'Incident #42', ttl_s: 3_600, per_min: null, incident: 42 },
      ]),
    );
    await waitFor(() => expect(document.querySelector('[data-test=contain-confirm]')).toBeNull());
  });

  it('begins in the field of the target', async () => {
    show({ kind: 'user', target: 'eve', incident: null });
    await waitFor(() => expect(document.activeElement).toBe(hook('contain-target')));
  });

  it('cannot contain what is protected, and says why', async () => {
    show({ kind: 'user', target: 'root', incident: null });
    await waitFor(() => expect(hook('contain-refusal').textContent).toContain('protected user'));
    expect(hook<HTMLButtonElement>('contain-confirm').disabled).toBe(true);
  });

  it('asks how many requests a limit leaves', async () => {
    const platform = show({ kind: 'limit', target: '203.0.113.7', incident: null });
    await waitFor(() => expect(hook<HTMLButtonElement>('contain-confirm').disabled).toBe(false));
    await fireEvent.input(hook('contain-per-min'), { target: { value: 'many' } });
    await waitFor(() => expect(hook<HTMLButtonElement>('contain-confirm').disabled, 'many is no number').toBe(true));
    await fireEvent.input(hook('contain-per-min'), { target: { value: '12' } });
    await fireEvent.input(hook('contain-reason'), { target: { value: 'Crawler' } });
    await fireEvent.click(hook('contain-confirm'));
    await waitFor(() => expect(platform.calls.find((call) => call.name === 'contain_add')?.request).toMatchObject({ kind: 'limit', per_min: 12 }));
  });
});
