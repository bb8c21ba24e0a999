import { fireEvent, render, waitFor } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';
import type { Playbook as Steps } from '$ui/generated/model';
import { demoPlatform } from '$ui/platform/demo/index';
import { App, appContext } from '$ui/state/app.svelte';
import { hook, requests } from '$ui/test-hook';
import Playbook from './playbook.svelte';

const PLAYBOOK: Steps = {
  title: 'SQL injection',
  done: 1,
  steps: [
    { id: 'scope', phase: 'triage', title: 'Find what was reached', how: 'Look at the answers.', checked_at: null, checked_by: null, note: null },
    { id: 'logs', phase: 'triage', title: 'Keep the logs', how: 'Copy them.', checked_at: '2026-01-01T00:00:00Z', checked_by: 'mara', note: null },
  ],
};

async function show() {
  const platform = demoPlatform();
  const app = new App(platform);
  await app.live.look();
  render(Playbook, { props: { number: 7, playbook: PLAYBOOK }, context: appContext(app) });
  return { platform, app };
}

describe('a step of the playbook', () => {
  it('stays as it is recorded when the person declines the change', async () => {
    const { platform, app } = await show();
    await fireEvent.click(hook('playbook-scope'));
    await waitFor(() => expect(app.confirmations.question).not.toBeNull());
    app.confirmations.answer(false);
    await waitFor(() => expect(app.confirmations.question).toBeNull());
    expect(requests(platform, 'incident_step_check')).toHaveLength(0);
    expect(hook<HTMLInputElement>('playbook-scope').checked).toBe(false);
    expect(hook<HTMLInputElement>('playbook-logs').checked).toBe(true);
  });

  it('stays as it is recorded when the change fails', async () => {
    const { platform, app } = await show();
    await fireEvent.click(hook('playbook-logs'));
    await waitFor(() => expect(app.confirmations.question).not.toBeNull());
    app.confirmations.answer(true);
    await waitFor(() => expect(requests(platform, 'incident_step_check')).toHaveLength(1));
    await waitFor(() => expect(app.toasts.shown).toHaveLength(1));
    expect(hook<HTMLInputElement>('playbook-logs').checked).toBe(true);
  });
});
