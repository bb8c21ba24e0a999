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
let app: App;
let actions: IncidentActions;
let incidents: Incident[];

beforeEach(() => {
  platform = demoPlatform();
  app = new App(platform);
  actions = new IncidentActions(app, () => undefined);
  incidents = makeIncidents(Date.now(), 20).filter((one) => one.status === 'open');
  render(MergeDialog, { props: { actions }, context: appContext(app) });
});

describe('a merge', () => {
  it('is taken back with u: each is taken out again, until one is refused', async () => {
    const [one] = incidents;
    if (one === undefined) throw new Error('no incidents');
    const said = (): string[] => app.toasts.shown.map((toast) => toast.text);
    platform.answers.incident_merge = () => one;
    platform.answers.incident_split = () => one;
    expect(await actions.sendMerge([7, 9], 4, 'One campaign')).toBe(true);
    expect(app.toasts.press('u')).toBe(true);
    await waitFor(() => expect(said()).toEqual(['#7, #9 taken out of #4 again']));
    expect(requests(platform, 'incident_split')).toEqual([7, 9].map((number) => ({ number, reason: 'The merge was taken back' })));
    expect(app.toasts.press('u'), 'once').toBe(false);
    platform.answers.incident_split = () => {
      const refusal: unknown = { code: 'precondition', message: 'incident 7 is not merged into another one' };
      throw refusal;
    };
    await actions.sendMerge([7, 9], 4, 'One campaign');
    app.toasts.press('u');
    await waitFor(() => expect(said()).toContain('incident 7 is not merged into another one'));
    expect(requests(platform, 'incident_split')).toHaveLength(3);
  });
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

  it('chooses what the same source did at the same time, and else leaves the choice to the person', async () => {
    const [one, two, three, four] = incidents;
    if (one === undefined || two === undefined || three === undefined || four === undefined) throw new Error('too few incidents');
    const at = (minutes: number): Pick<Incident, 'first_seen' | 'last_seen'> => {
      const time = new Date(Date.UTC(2026, 10, 20, 2, 40 + minutes)).toISOString();
      return { first_seen: time, last_seen: time };
    };
    const source = (value: string): Pick<Incident, 'entity'> => ({ entity: { kind: 'ip', value } });
    const asked = { ...one, ...source('203.0.113.7'), ...at(0) };
    const stranger = { ...two, ...source('45.155.200.15'), ...at(0) };
    const earlier = { ...three, ...source('203.0.113.7'), ...at(-12 * 24 * 60) };
    const near = { ...four, ...source('203.0.113.7'), ...at(-1) };
    const alike = (list: readonly Incident[]): void => {
      platform.answers.incident_similar = () => ({ rows: list.map((incident) => ({ incident, score: 53, because: [] })), active: list.length });
    };
    const offered = (): string[] => [...hook('merge-dialog').querySelectorAll<HTMLInputElement>('input[type=radio]')].map((radio) => radio.value);
    alike([stranger, earlier, near]);
    actions.merge([asked]);
    await waitFor(() => expect(offered()).toEqual([near, earlier, stranger].map(({ number }) => String(number))));
    expect(hook<HTMLInputElement>(`merge-into-${near.number}`).checked).toBe(true);
    await waitFor(() => expect(document.activeElement, 'where the choice is').toBe(hook(`merge-into-${near.number}`)));
    const row = hook(`merge-into-${near.number}`).closest('label');
    expect(row?.querySelector('time'), 'what tells it from others of the same name').not.toBeNull();
    expect(row?.querySelector('[data-severity] .sr-only'), 'the word, not the mark alone').toBeNull();
    actions.close();
    await tick();
    alike([stranger, earlier]);
    actions.merge([asked]);
    await waitFor(() => expect(offered()).toEqual([earlier, stranger].map(({ number }) => String(number))));
    expect(hook('merge-dialog').querySelector('input:checked'), 'twelve days before').toBeNull();
    expect(hook<HTMLButtonElement>('merge-confirm').disabled).toBe(true);
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
