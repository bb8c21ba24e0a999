import { fireEvent, render, waitFor } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';
import { demoPlatform } from '$ui/platform/demo/index';
import type { FakePlatform } from '$ui/platform/fake';
import { App, appContext } from '$ui/state/app.svelte';
import { hook } from '$ui/test-hook';
import Outbox from './outbox.svelte';

function show(platform: FakePlatform): App {
  const app = new App(platform);
  render(Outbox, { context: appContext(app) });
  return app;
}

describe('the messages of the automatic response', () => {
  it('say where they stand, and why one did not arrive', async () => {
    show(demoPlatform());
    await waitFor(() => hook('outbox-row'));
    const rows = [...document.querySelectorAll<HTMLElement>('[data-test=outbox-row]')];
    expect(rows.map((row) => row.dataset['state'])).toEqual(['pending', 'failed', 'delivered']);
    expect(hook('outbox-waiting').textContent).toContain('1');
    expect(rows[1]?.textContent).toContain('8 tries');
    expect(rows[1]?.querySelector('b'), 'what a relay answers is text').toBeNull();
    expect(rows[1]?.querySelector('a')?.getAttribute('href')).toBe('#/incidents/7');
  });

  it('are said not to be there, and to have failed to load', async () => {
    const platform = demoPlatform(new URLSearchParams('empty'));
    const app = show(platform);
    await waitFor(() => hook('outbox-none'));
    expect(document.querySelector('[data-test=outbox-waiting]')).toBeNull();
    platform.answers.outbox_list = () => Promise.reject(new Error('gone'));
    app.queries.reset();
    await waitFor(() => hook('error-state'));
    platform.answers.outbox_list = () => ({ messages: [], waiting: 0 });
    await fireEvent.click(hook('retry'));
    await waitFor(() => hook('outbox-none'));
  });
});
