import { fireEvent, render, waitFor } from '@testing-library/svelte';
import { afterEach, describe, expect, it } from 'vitest';
import { demoPlatform } from '$ui/platform/demo/index';
import type { FakePlatform } from '$ui/platform/fake';
import { IncidentActions } from '$ui/domain/incident/actions.svelte';
import { App, appContext } from '$ui/state/app.svelte';
import { hook } from '$ui/test-hook';
import BlockDialog from './block-dialog.svelte';
import { closeBlock, openBlock } from './block-request.svelte';

function show(target: string, incident: number | null): FakePlatform {
  const platform = demoPlatform();
  render(BlockDialog, { context: appContext(new App(platform)) });
  openBlock({ target, incident });
  return platform;
}

describe('the block dialog', () => {
  afterEach(() => closeBlock());

  it('shows what it would do before it can be done, and names the incident', async () => {
    const platform = show('203.0.113.9', 42);
    await waitFor(() => hook('block-dialog'));
    await waitFor(() => expect(hook<HTMLInputElement>('block-target').value).toBe('203.0.113.9'));
    expect(hook<HTMLButtonElement>('block-confirm').disabled, 'not before the preview').toBe(true);
    await waitFor(() => expect(hook<HTMLButtonElement>('block-confirm').disabled).toBe(false));
    expect(hook('block-preview').textContent).toContain('4,812');
    await fireEvent.click(hook('block-ttl-604800'));
    await fireEvent.click(hook('block-confirm'));
    await waitFor(() =>
      expect(platform.calls.filter((call) => call.name === 'block_add').map((call) => call.request)).toEqual([
        { target: '203.0.113.9', reason: 'Incident #42', ttl_s: 604_800, incident: 42 },
      ]),
    );
    await waitFor(() => expect(document.querySelector('[data-test=block-confirm]')).toBeNull());
  });

  it('begins with the source of an incident that is about a user, and offers the others', async () => {
    const platform = demoPlatform();
    const answer = platform.answers.incident_detail;
    const ips = ['203.0.113.9', '198.51.100.4'];
    platform.answers.incident_detail = async (request) => {
      const detail = await answer?.(request);
      if (detail === undefined) throw new Error('the demo has incidents');
      const user = { kind: 'user' as const, value: 'anna' };
      return { ...detail, incident: { ...detail.incident, entity: user }, entities: [{ entity: user, events: 9 }, ...ips.map((value) => ({ entity: { kind: 'ip' as const, value }, events: 3 }))] };
    };
    const app = new App(platform);
    render(BlockDialog, { context: appContext(app) });
    const { incident } = await app.read('incident_detail', { number: 42 });
    await new IncidentActions(app, () => undefined).block(incident);
    await waitFor(() => expect(hook<HTMLInputElement>('block-target').value).toBe('203.0.113.9'));
    await fireEvent.keyDown(hook('block-target'), { key: 'ArrowDown' });
    await waitFor(() => expect(document.body.textContent).toContain('198.51.100.4'));
  });

  it('says that nothing can be blocked while Redis is down, before somebody tries', async () => {
    const app = new App(demoPlatform());
    const status = await app.read('workspace_status', {});
    app.live.status = { ...status, redis: { state: 'down', detail: 'connection refused', last_ok: null } };
    render(BlockDialog, { context: appContext(app) });
    openBlock({ target: '203.0.113.9', incident: 42 });
    await waitFor(() => expect(hook('block-down').textContent).toContain('Redis is unreachable'));
    await waitFor(() => expect(hook('block-preview').textContent).toContain('4,812'));
    expect(hook<HTMLButtonElement>('block-confirm').disabled).toBe(true);
    app.live.status = status;
    await waitFor(() => expect(hook<HTMLButtonElement>('block-confirm').disabled).toBe(false));
  });

  it('cannot block what would be refused', async () => {
    show('10.0.0.0/8', null);
    await waitFor(() => expect(hook('block-refusal').textContent).toContain('address of this machine'));
    await fireEvent.input(hook('block-reason'), { target: { value: 'because' } });
    expect(hook<HTMLButtonElement>('block-confirm').disabled).toBe(true);
  });

  it('says what is wrong with what was typed', async () => {
    show('not an address', null);
    await waitFor(() => expect(document.querySelector('[role=alert]')?.textContent).toContain('is not an IP address'));
    expect(hook<HTMLInputElement>('block-target').getAttribute('aria-invalid')).toBe('true');
  });
});
