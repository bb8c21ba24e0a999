import { fireEvent, render, waitFor } from '@testing-library/svelte';
import { tick } from 'svelte';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Incident } from '$ui/generated/model';
import { demoPlatform } from '$ui/platform/demo/index';
import { makeIncidents } from '$ui/platform/demo/incidents';
import type { FakePlatform } from '$ui/platform/fake';
import { App, appContext } from '$ui/state/app.svelte';
import { hook, requests, type } from '$ui/test-hook';
import { IncidentActions } from './actions.svelte';
import MergeDialog from './merge-dialog.svelte';

let platform: FakePlatform;
let actions: IncidentActions;
let incidents: Incident[];

beforeEach(() => {
  platform = demoPlatform();
  const app = new App(platform);
  actions = new IncidentActions(app, () => undefined);
  incidents = makeIncidents(Date.now(), 20).filter((one) => one.status === 'open');
  render(MergeDialog, { props: { actions }, context: appContext(app) });
});

describe('the merge dialog', () => {
  it('says that an incident cannot be merged into itself', async () => {
    const [incident] = incidents;
    if (incident === undefined) throw new Error('no incidents');
    actions.merge([incident]);
    await waitFor(() => hook('merge-number'));
    await type('merge-reason', 'One campaign');
    await type('merge-number', `#${incident.number}`);
    await waitFor(() => expect(hook<HTMLButtonElement>('merge-confirm').disabled).toBe(true));
    expect(hook('merge-dialog').textContent).toContain('cannot be merged into itself');
    await fireEvent.keyDown(hook('merge-number'), { key: 'Enter', ctrlKey: true });
    expect(requests(platform, 'incident_merge')).toHaveLength(0);
  });

  it('does not look for ever when it was closed while it looked', async () => {
    const [first, second] = incidents;
    if (first === undefined || second === undefined) throw new Error('no incidents');
    platform.answers.incident_similar = () => new Promise(() => undefined);
    actions.merge([first]);
    await waitFor(() => expect(hook('merge-dialog').querySelector('fieldset')?.getAttribute('aria-busy')).toBe('true'));
    actions.close();
    await tick();
    actions.merge([{ ...first, status: 'closed' }, { ...second, status: 'closed' }]);
    await waitFor(() => expect(hook('merge-dialog').textContent).toContain('Merge 2'));
    expect(hook('merge-dialog').querySelector('fieldset')?.getAttribute('aria-busy')).toBe('false');
  });
});
