// What is done to one incident beyond taking and resolving it: hand it over, stop its clocks, change its state, take it
// out of a merge. Each from its page, with why where somebody has to know.

import { fireEvent, render, waitFor } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Incident } from '$ui/generated/model';
import { demoPlatform } from '$ui/platform/demo/index';
import type { FakePlatform } from '$ui/platform/fake';
import Toasts from '$ui/shared/feedback/toasts.svelte';
import { App, appContext } from '$ui/state/app.svelte';
import { router } from '$ui/state/router.svelte';
import { choose, hook, requests, type } from '$ui/test-hook';
import IncidentsView from '$ui/views/incidents/incidents-view.svelte';

let platform: FakePlatform;
let app: App;
let view: { unmount: () => void };
let incident: Incident;
/** As it was when it was opened: what is sent says which state was seen. */
let version: number;

/** Opens an incident as `part` changes it. */
async function open(part: Partial<Incident>): Promise<void> {
  platform = demoPlatform();
  const status = platform.answers.workspace_status;
  platform.answers.workspace_status = async () => {
    const made = await status?.({});
    if (made === undefined) throw new Error('the demo has a status');
    return { ...made, connection: made.connection === null ? null : { ...made.connection, production: false } };
  };
  const detail = platform.answers.incident_detail;
  platform.answers.incident_detail = async (request) => {
    const made = await detail?.(request);
    if (made === undefined) throw new Error('the demo has incidents');
    incident = { ...made.incident, ...part };
    return { ...made, incident };
  };
  const page = platform.answers.incident_page;
  platform.answers.incident_page = async (request) => {
    const made = await page?.(request);
    if (made === undefined) throw new Error('the demo has a queue');
    return { ...made, rows: made.rows.map((row) => (row.number === 42 ? { ...row, ...part } : row)) };
  };
  router.go('incidents', '42', { status: 'all' });
  app = new App(platform);
  await app.live.look();
  view = render(IncidentsView, { context: appContext(app) });
  await waitFor(() => hook('incident-title'));
  version = incident.version;
}

/** Opens the menu and presses an entry. */
async function choosing(entry: string): Promise<void> {
  await fireEvent.click(hook('incident-menu'));
  // The test's browser does not know popovers.
  const menu = hook('incident-menu').nextElementSibling as HTMLElement;
  menu.hidePopover = () => undefined;
  menu.dispatchEvent(Object.assign(new Event('toggle'), { newState: 'open' }));
  await waitFor(() => hook(entry));
  await fireEvent.click(hook(entry));
}

/** As Esc does, which the test's browser does not know in a dialog. */
async function closing(dialog: string): Promise<void> {
  await fireEvent(hook(dialog), new Event('cancel', { cancelable: true }));
  await waitFor(() => expect(hook<HTMLDialogElement>(dialog).open).toBe(false));
}

beforeEach(() => localStorage.clear());

describe('an incident', () => {
  it('is assigned to somebody, or to nobody', async () => {
    await open({ status: 'open', assignee: null });
    await fireEvent.keyDown(document.body, { key: 'a' });
    await waitFor(() => expect(hook<HTMLInputElement>('assign-name').value, 'oneself, unless somebody has it').toBe('mara'));
    await type('assign-name', ' jonas ');
    await fireEvent.click(hook('assign-confirm'));
    await waitFor(() => expect(requests(platform, 'incident_assign')).toEqual([{ number: 42, assignee: 'jonas', version }]));
    await waitFor(() => expect(document.querySelector('[data-test=assign-dialog]')).toBeNull());
    await fireEvent.keyDown(document.body, { key: 'a' });
    await waitFor(() => hook('assign-name'));
    await type('assign-name', '');
    await fireEvent.click(hook('assign-confirm'));
    await waitFor(() => expect(requests(platform, 'incident_assign').at(-1)).toMatchObject({ assignee: null }));
  });

  it('is judged from the key on, with the focus at that verdict', async () => {
    await open({ status: 'investigating' });
    await fireEvent.keyDown(document.body, { key: 'f' });
    await waitFor(() => expect(hook<HTMLInputElement>('verdict-false_positive').checked).toBe(true));
    expect(document.activeElement).toBe(hook('verdict-false_positive'));
    await closing('resolve-dialog');
    await fireEvent.keyDown(document.body, { key: 'r' });
    await waitFor(() => expect(document.activeElement, 'without one at the first').toBe(hook('verdict-true_positive')));
    expect(document.querySelector('[name$=-verdict]:checked')).toBeNull();
  });

  it('is handed over with what the next one has to know', async () => {
    await open({ status: 'investigating' });
    await choosing('handover');
    await waitFor(() => hook('handover-to'));
    const send = hook<HTMLButtonElement>('handover-confirm');
    expect(send.disabled).toBe(true);
    expect(hook('handover-dialog').textContent, 'it says what is lacking').toContain('Say whom it goes to.');
    await type('handover-to', 'jonas');
    expect(send.disabled, 'not without a word').toBe(true);
    await type('handover-text', 'The host owner was called at 03:10');
    expect(send.disabled).toBe(false);
    await fireEvent.click(hook('handover-confirm'));
    await waitFor(() => expect(requests(platform, 'incident_handover')).toEqual([{ number: 42, to: 'jonas', note: 'The host owner was called at 03:10', version }]));
    await waitFor(() => expect(document.querySelector('[data-test=handover-dialog]')).toBeNull());
  });

  it('has its clocks stopped for a reason, which stands over it, and they run again', async () => {
    await open({ status: 'investigating' });
    await choosing('pause');
    await waitFor(() => hook('pause-reason'));
    await choose('pause-reason', 'legal_hold');
    await type('pause-text', 'Disk image is being taken');
    await fireEvent.click(hook('pause-confirm'));
    await waitFor(() => expect(requests(platform, 'incident_pause')).toEqual([{ number: 42, reason: 'legal_hold', note: 'Disk image is being taken', version }]));
  });

  it('says that its clocks stand, and lets them run with one press', async () => {
    await open({ status: 'investigating', paused: { reason: 'legal_hold', since: new Date().toISOString() } });
    let letGo = (): void => undefined;
    const gate = new Promise<void>((resolve) => (letGo = resolve));
    platform.answers.incident_resume = async () => {
      await gate;
      return incident;
    };
    expect(hook('incident-paused').textContent).toContain('Legal hold');
    await fireEvent.click(hook('resume'));
    await fireEvent.click(hook('resume'));
    letGo();
    await waitFor(() => expect(requests(platform, 'incident_resume'), 'two presses are one').toEqual([{ number: 42 }]));
  });

  it('is contained at once and reopened with a reason', async () => {
    await open({ status: 'investigating' });
    await choosing('status-contained');
    await waitFor(() => expect(requests(platform, 'incident_status_set')).toEqual([{ number: 42, status: 'contained', reason: null, version }]));
  });

  it('is reopened with a reason only', async () => {
    await open({ status: 'closed', verdict: 'false_positive' });
    await choosing('status-reopened');
    await waitFor(() => hook('status-text'));
    await fireEvent.click(hook('status-confirm'));
    expect(requests(platform, 'incident_status_set')).toEqual([]);
    await type('status-text', 'The same host does it again');
    await fireEvent.click(hook('status-confirm'));
    await waitFor(() => expect(requests(platform, 'incident_status_set')).toEqual([{ number: 42, status: 'reopened', reason: 'The same host does it again', version }]));
  });

  it('is taken out of a merge with a reason', async () => {
    await open({ status: 'closed', verdict: 'duplicate', merged_into: 7 });
    platform.answers.incident_split = () => incident;
    expect(hook('incident-merged').querySelector('a')?.getAttribute('href')).toBe('#/incidents/7');
    await fireEvent.click(hook('incident-merged').querySelector('button') ?? document.body);
    await waitFor(() => hook('split-text'));
    await type('split-text', 'Another campaign');
    await fireEvent.click(hook('split-confirm'));
    await waitFor(() => expect(requests(platform, 'incident_split')).toEqual([{ number: 42, reason: 'Another campaign' }]));
  });

  it('keeps what was written when the change is refused, and says why', async () => {
    await open({ status: 'investigating' });
    const refused: unknown = { code: 'conflict', message: 'incident 42 was changed in the meantime' };
    platform.answers.incident_handover = () => {
      throw refused;
    };
    await choosing('handover');
    await waitFor(() => hook('handover-to'));
    await type('handover-to', 'jonas');
    await type('handover-text', 'Shift is over');
    await fireEvent.click(hook('handover-confirm'));
    await waitFor(() => expect(requests(platform, 'incident_handover')).toHaveLength(1));
    await waitFor(() => expect(hook<HTMLButtonElement>('handover-confirm').disabled).toBe(false));
    expect(hook<HTMLTextAreaElement>('handover-text').value).toBe('Shift is over');
  });
});

describe('what was done to one incident', () => {
  const offer = () => document.querySelector<HTMLElement>('[data-test=toast-action]');

  async function taken(): Promise<void> {
    await open({ status: 'open', assignee: null });
    render(Toasts, { context: appContext(app) });
    await fireEvent.keyDown(document.body, { key: 't' });
    await waitFor(() => expect(offer()?.textContent).toContain('Undo'));
  }

  it('is taken back by the button of its message, or by u, with the version that it has then', async () => {
    await taken();
    const changed = `42@${version + 1}`;
    await fireEvent.click(hook('toast-action'));
    await waitFor(() => expect(requests(platform, 'incident_undo')).toEqual([{ undo: changed }]));
    await waitFor(() => expect(app.toasts.shown.map((toast) => toast.text)).toEqual(['#42 is as it was']));
    await fireEvent.keyDown(document.body, { key: 'u' });
    expect(requests(platform, 'incident_undo'), 'once').toHaveLength(1);
    await fireEvent.keyDown(document.body, { key: 'a' });
    await waitFor(() => hook('assign-name'));
    await fireEvent.click(hook('assign-confirm'));
    await waitFor(() => expect(offer()).not.toBeNull());
    await fireEvent.keyDown(document.body, { key: 'u' });
    await waitFor(() => expect(requests(platform, 'incident_undo')).toHaveLength(2));
    expect(offer()).toBeNull();
  });

  it.each([
    ['r', 'resolve', 'incident_resolve'],
    ['f', 'resolve', 'incident_resolve'],
    ['e', 'escalate', 'incident_escalate'],
  ] as const)('is offered after %s', async (key, dialog, operation) => {
    await open({ status: 'open', assignee: null });
    render(Toasts, { context: appContext(app) });
    await fireEvent.keyDown(document.body, { key });
    await waitFor(() => hook(`${dialog}-confirm`));
    if (dialog === 'escalate') {
      await type('escalate-to', 'lead');
      await type('escalate-text', 'Customers are hit');
    } else {
      if (key === 'r') await fireEvent.click(hook('verdict-true_positive'));
      await type('resolve-reason', 'Looked at it');
    }
    await fireEvent.click(hook(`${dialog}-confirm`));
    await waitFor(() => expect(requests(platform, operation)).toHaveLength(1));
    await waitFor(() => expect(offer()).not.toBeNull());
  });

  it('says why it stays when somebody worked on it since', async () => {
    await taken();
    platform.answers.incident_undo = () => {
      const refusal: unknown = { code: 'precondition', message: 'incident 42 was changed since' };
      throw refusal;
    };
    await fireEvent.keyDown(document.body, { key: 'u' });
    await waitFor(() => expect(app.toasts.shown.map((toast) => [toast.kind, toast.text])).toEqual([['failed', 'incident 42 was changed since']]));
  });

  it('is no longer offered once the person is elsewhere', async () => {
    await taken();
    view.unmount();
    await waitFor(() => expect(offer()).toBeNull());
  });
});

describe('the field for a person', () => {
  it('gives way to what is typed, offers who is known, and says when nobody has that name', async () => {
    await open({ status: 'open', assignee: null });
    await fireEvent.keyDown(document.body, { key: 'a' });
    const field = await waitFor(() => hook<HTMLInputElement>('assign-name'));
    await waitFor(() => expect([field.selectionStart, field.selectionEnd], 'the proposal is marked: the first key takes its place').toEqual([0, 4]));
    expect(field.getAttribute('aria-expanded'), 'nothing that a first Esc would have to close').toBe('false');
    expect(document.querySelector('[data-test=person-unknown]')).toBeNull();
    await type('assign-name', 'nobdy');
    await waitFor(() => hook('person-unknown'));
    await type('assign-name', '');
    await fireEvent.keyDown(field, { key: 'ArrowDown' });
    const first = (await waitFor(() => hook('combo-option'))).textContent;
    await fireEvent.keyDown(field, { key: 'Enter' });
    expect(field.value).toBe(first);
    expect(document.querySelector('[data-test=person-unknown]')).toBeNull();
  });
});
