import { fireEvent, render, screen, waitFor, within } from '@testing-library/svelte';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { IncidentPageRequest } from '$ui/generated/model';
import { demoPlatform } from '$ui/platform/demo/index';
import type { FakePlatform } from '$ui/platform/fake';
import { App, appContext } from '$ui/state/app.svelte';
import { router } from '$ui/state/router.svelte';
import { choose, hook, requests } from '$ui/test-hook';
import IncidentsView from './incidents-view.svelte';

/** The boxes of the queue that are ticked, by the number of their incident. */
function ticked(): string[] {
  return rows().filter((row) => within(row).getByRole<HTMLInputElement>('checkbox').checked).map((row) => row.dataset['number'] ?? '');
}

function rows(): HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>('[data-test=incident-row]')];
}

async function open() {
  const platform = demoPlatform();
  const app = new App(platform);
  // Not a production workspace: the confirmation has its own test.
  const status = platform.answers.workspace_status;
  platform.answers.workspace_status = async () => {
    if (status === undefined) throw new Error('the demo has a status');
    const made = await status({});
    return { ...made, connection: made.connection === null ? null : { ...made.connection, production: false } };
  };
  await app.live.look();
  const view = render(IncidentsView, { context: appContext(app) });
  await waitFor(() => expect(rows().length).toBeGreaterThan(5));
  return { platform, app, view };
}

async function show(): Promise<FakePlatform> {
  return (await open()).platform;
}

describe('triage by keyboard', () => {
  beforeEach(() => router.go('incidents'));

  it('takes once, however often the key is pressed before the answer', async () => {
    const platform = await show();
    const answer = platform.answers.incident_take;
    if (answer === undefined) throw new Error('the demo takes');
    let letGo = (): void => undefined;
    const gate = new Promise<void>((resolve) => (letGo = resolve));
    platform.answers.incident_take = async (request) => {
      await gate;
      return await answer(request);
    };
    const grid = screen.getByRole('grid');
    await fireEvent.keyDown(grid, { key: 'j' });
    for (let press = 0; press < 3; press += 1) await fireEvent.keyDown(grid, { key: 't' });
    await waitFor(() => expect(requests(platform, 'incident_take')).toHaveLength(1));
    letGo();
    await waitFor(() => hook('incident-row'));
    expect(requests(platform, 'incident_take')).toHaveLength(1);
  });

  it('opens, takes and resolves with a verdict and a reason, and goes on to the next', async () => {
    const platform = await show();
    const grid = screen.getByRole('grid');
    await fireEvent.keyDown(grid, { key: 'j' });
    await fireEvent.keyDown(grid, { key: 'Enter' });
    const number = Number(rows()[0]?.dataset['number']);
    const following = Number(rows()[1]?.dataset['number']);
    await waitFor(() => expect(hook('incident-page').dataset['number']).toBe(String(number)));
    await waitFor(() => hook('incident-title'));
    expect(document.querySelector('[data-test=incident-second]')?.textContent, 'beside it who it is comes first').toMatch(/^\S+\s· \w+ · \w+$/);

    await fireEvent.keyDown(document.body, { key: 't' });
    await waitFor(() => expect(requests(platform, 'incident_take')).toEqual([{ number }]));
    await waitFor(() => expect(hook('incident-assignee').textContent).toContain('mara'));

    await fireEvent.keyDown(document.body, { key: 'r' });
    await waitFor(() => hook('resolve-dialog'));
    expect(hook('resolve-about').textContent?.trim(), 'which one, and how severe').toMatch(/^(Low|Medium|High|Critical|Info).*\S+/);
    expect(hook<HTMLButtonElement>('resolve-confirm').disabled, 'nothing is judged yet').toBe(true);
    await fireEvent.keyDown(document.body, { key: '2' });
    expect(hook<HTMLInputElement>('verdict-false_positive').checked).toBe(true);
    await fireEvent.click(hook('resolve-confirm'));
    expect(requests(platform, 'incident_resolve'), 'a verdict needs a reason').toHaveLength(0);
    await fireEvent.input(hook('resolve-reason'), { target: { value: 'A form field that holds SQL on purpose' } });
    await fireEvent.click(hook('resolve-confirm'));
    await waitFor(() => expect(requests(platform, 'incident_resolve')).toHaveLength(1));
    expect(requests(platform, 'incident_resolve')[0]).toMatchObject({ number, verdict: 'false_positive', reason: 'A form field that holds SQL on purpose' });
    await waitFor(() => expect(hook('incident-page').dataset['number'], 'the next one is open').toBe(String(following)));
    await waitFor(() => expect(rows().map((row) => row.dataset['number']), 'the resolved one has left the queue').not.toContain(String(number)));
  });

  it('says that there are more entities than the page has', async () => {
    const platform = await show();
    const answer = platform.answers.incident_detail;
    platform.answers.incident_detail = async (request) => {
      const detail = await answer?.(request);
      if (detail === undefined) throw new Error('the demo has incidents');
      return { ...detail, entity_rows: 1_069 };
    };
    await fireEvent.keyDown(screen.getByRole('grid'), { key: 'j' });
    await fireEvent.keyDown(screen.getByRole('grid'), { key: 'Enter' });
    await waitFor(() => expect(hook('incident-tab-entities').textContent).toContain('1,069'));
    await fireEvent.click(hook('incident-tab-entities'));
    await waitFor(() => expect(hook('entities-more').textContent).toContain('The 4 with the most events, of 1,069.'));
  });

  it('says once what all related incidents have in common', async () => {
    await show();
    await fireEvent.keyDown(screen.getByRole('grid'), { key: 'j' });
    await fireEvent.keyDown(screen.getByRole('grid'), { key: 'Enter' });
    await waitFor(() => hook('incident-tab-related'));
    await fireEvent.click(hook('incident-tab-related'));
    await waitFor(() => expect(hook('related-shared').textContent).toContain('the same rule: '));
    const related = [...document.querySelectorAll('[data-test=related-incident]')];
    expect(related.length).toBeGreaterThan(1);
    for (const row of related) expect(row.textContent).not.toContain('the same rule: ');
  });

  it('closes with Esc and filters by facet', async () => {
    const platform = await show();
    await fireEvent.click(hook('facet-severity-critical'));
    await waitFor(() => expect(rows().every((row) => row.dataset['severity'] === 'critical')).toBe(true));
    expect(router.current.query['severity']).toBe('critical');
    expect(requests(platform, 'incident_page')).toContainEqual(expect.objectContaining({ filter: expect.objectContaining({ severity: ['critical'] }) as unknown, limit: 200 }));
    const first = rows()[0];
    if (first === undefined) throw new Error('no critical incident');
    await fireEvent.click(within(first).getAllByRole('gridcell')[0] ?? first);
    await waitFor(() => hook('incident-page'));
    await fireEvent.keyDown(document.body, { key: 'Escape' });
    await waitFor(() => expect(document.querySelector('[data-test=incident-page]')).toBeNull());
    expect(router.current.query['severity'], 'the filter stays').toBe('critical');
  });

  it('does nothing to an incident while a person types', async () => {
    const platform = await show();
    await fireEvent.keyDown(screen.getByRole('grid'), { key: 'j' });
    await fireEvent.keyDown(hook('incident-search'), { key: 't' });
    expect(requests(platform, 'incident_take')).toHaveLength(0);
    await fireEvent.keyDown(document.body, { key: 't' });
    await waitFor(() => expect(requests(platform, 'incident_take')).toHaveLength(1));
  });
});

describe('moving from elsewhere', () => {
  beforeEach(() => router.go('incidents'));

  const active = (): string | undefined => document.querySelector<HTMLElement>('[data-test=incident-row][data-active]')?.dataset['number'];

  it('goes on after a press on a facet, and after an incident was closed', async () => {
    await show();
    const facet = hook<HTMLInputElement>('facet-severity-high');
    facet.focus();
    await fireEvent.keyDown(facet, { key: 'j' });
    await waitFor(() => expect(active()).toBe(rows()[0]?.dataset['number']));
    const chosen = [0, 1, 2].map((at) => rows()[at]?.dataset['number'] ?? '');
    for (let press = 0; press < chosen.length; press += 1) {
      await fireEvent.keyDown(document.body, { key: 'x' });
      await fireEvent.keyDown(document.body, { key: 'j' });
    }
    expect(ticked(), 'one after the other').toEqual(chosen);
    await fireEvent.keyDown(document.body, { key: 'Enter' });
    await waitFor(() => hook('incident-page'));
    await fireEvent.keyDown(hook('incident-page'), { key: 'Escape' });
    await waitFor(() => expect(document.querySelector('[data-test=incident-page]')).toBeNull());
    await fireEvent.keyDown(document.body, { key: 'k' });
    await waitFor(() => expect(active()).toBe(chosen[2]));
  });
});

describe('a verdict by digit', () => {
  beforeEach(() => router.go('incidents'));

  it('is not taken from a field that the person types into', async () => {
    await show();
    await fireEvent.keyDown(screen.getByRole('grid'), { key: 'j' });
    await fireEvent.keyDown(document.body, { key: 'r' });
    await waitFor(() => hook('resolve-dialog'));
    await fireEvent.keyDown(document.body, { key: '1' });
    // The confirmation of a production change is typed over this dialog, and a name may hold digits.
    const field = document.createElement('input');
    document.body.append(field);
    await fireEvent.keyDown(field, { key: '3' });
    await fireEvent.keyDown(hook('resolve-reason'), { key: '4' });
    field.remove();
    expect(hook<HTMLInputElement>('verdict-true_positive').checked).toBe(true);
  });
});

describe('the selection', () => {
  beforeEach(() => router.go('incidents'));

  it('is made with x, resolved in one step with a cause, and undone', async () => {
    const platform = await show();
    const grid = screen.getByRole('grid');
    const numbers = rows().slice(0, 3).map((row) => Number(row.dataset['number']));
    for (let n = 0; n < 3; n += 1) {
      await fireEvent.keyDown(grid, { key: 'j' });
      await fireEvent.keyDown(document.body, { key: 'x' });
    }
    await waitFor(() => expect(hook('bulk-count').dataset['value']).toBe('3'));
    await fireEvent.keyDown(document.body, { key: 'f' });
    await waitFor(() => hook('bulk-dialog'));
    await fireEvent.keyDown(document.body, { key: 's' });
    expect(hook<HTMLInputElement>('cause-bad_pattern').checked).toBe(true);
    await fireEvent.click(hook('bulk-confirm'));
    await waitFor(() => expect(requests(platform, 'incident_bulk')).toEqual([{ numbers, filter: null, expected: null, action: { do: 'resolve', verdict: 'false_positive', cause: 'bad_pattern', reason: '' } }]));
    await waitFor(() => expect(hook('bulk-outcome').dataset['changed']).toBe('3'));
    expect(hook('bulk-outcome').textContent).toContain('3 resolved');
    await waitFor(() => expect(rows().map((row) => Number(row.dataset['number']))).not.toContain(numbers[0]));
    await fireEvent.keyDown(document.body, { key: 'u' });
    await waitFor(() => expect(requests(platform, 'incident_undo')).toEqual([{ undo: 'token' }]));
    await waitFor(() => expect(rows().map((row) => Number(row.dataset['number'])), 'they are back').toContain(numbers[0]));
  });

  it('of everything that matches carries the number that was seen', async () => {
    const platform = await show();
    await fireEvent.keyDown(screen.getByRole('grid'), { key: 'j' });
    await fireEvent.keyDown(document.body, { key: 'x' });
    await fireEvent.click(hook('bulk-all'));
    const total = Number(hook('incidents-total').dataset['value']);
    expect(Number(hook('bulk-count').dataset['value'])).toBe(total);
    await fireEvent.keyDown(document.body, { key: 't' });
    await waitFor(() => expect(requests(platform, 'incident_bulk')[0]).toMatchObject({ numbers: [], expected: total, action: { do: 'take' } }));
  });

  it('of everything leaves out the one whose box is pressed, on screen and in what is sent', async () => {
    const platform = await show();
    const [first, second] = rows();
    if (first === undefined || second === undefined) throw new Error('no incidents');
    await fireEvent.click(within(first).getByRole('checkbox'));
    expect(ticked()).toEqual([first.dataset['number']]);
    await fireEvent.click(hook('bulk-all'));
    const total = Number(hook('incidents-total').dataset['value']);
    expect(ticked()).toHaveLength(rows().length);
    await fireEvent.click(within(second).getByRole('checkbox'));
    expect(ticked()).toEqual(rows().map((row) => row.dataset['number']).filter((number) => number !== second.dataset['number']));
    expect(hook('bulk-count').dataset['value']).toBe(String(total - 1));
    await fireEvent.keyDown(document.body, { key: 't' });
    await waitFor(() => expect(requests(platform, 'incident_bulk')).toHaveLength(1));
    const sent = requests(platform, 'incident_bulk')[0] as { numbers: number[]; filter: unknown };
    expect(sent.filter).toBeNull();
    expect(sent.numbers).toHaveLength(total - 1);
    expect(sent.numbers).not.toContain(Number(second.dataset['number']));
    expect(sent.numbers, 'also those that were not on screen').toContain(Number(first.dataset['number']));
  });

  it('of everything but one is sent to nobody when the filter describes others by now', async () => {
    const platform = await show();
    const [first] = rows();
    if (first === undefined) throw new Error('no incidents');
    await fireEvent.keyDown(screen.getByRole('grid'), { key: 'j' });
    await fireEvent.keyDown(document.body, { key: 'x' });
    await fireEvent.click(hook('bulk-all'));
    await fireEvent.click(within(first).getByRole('checkbox'));
    const answer = platform.answers.incident_page;
    platform.answers.incident_page = async (request) => {
      const page = await answer?.(request);
      if (page === undefined) throw new Error('the demo has a queue');
      return { ...page, rows: page.rows.slice(1) };
    };
    await fireEvent.click(hook('bulk-take'));
    await waitFor(() => expect(hook<HTMLButtonElement>('bulk-take').disabled).toBe(false));
    expect(requests(platform, 'incident_bulk')).toHaveLength(0);
    expect(hook('bulk-bar'), 'the selection stands').toBeTruthy();
  });
});

describe('a tick beside an open incident', () => {
  beforeEach(() => router.go('incidents'));

  it('is not what the keys act on, and is named where it is', async () => {
    const platform = await show();
    const [first, second] = rows();
    if (first === undefined || second === undefined) throw new Error('no incidents');
    const [ticked, read] = [Number(first.dataset['number']), Number(second.dataset['number'])];
    await fireEvent.click(within(first).getByRole('checkbox'));
    await fireEvent.keyDown(document.body, { key: 'r' });
    await waitFor(() => hook('bulk-dialog'));
    expect(hook('bulk-dialog').getAttribute('aria-label')).toBe(`Resolve #${ticked}`);
    expect(hook('bulk-named').textContent).toContain(`#${ticked}`);
    await fireEvent.click(screen.getByRole('button', { name: 'Cancel' }));
    await fireEvent.click(within(second).getAllByRole('gridcell')[1] ?? second);
    await waitFor(() => hook('incident-title'));
    await fireEvent.keyDown(document.body, { key: 't' });
    await waitFor(() => expect(requests(platform, 'incident_take')).toEqual([{ number: read }]));
    await fireEvent.keyDown(document.body, { key: 'f' });
    await waitFor(() => hook('resolve-dialog'));
    expect(document.querySelector('[data-test=bulk-dialog]')?.hasAttribute('open')).not.toBe(true);
    expect(requests(platform, 'incident_bulk')).toHaveLength(0);
    expect(hook('bulk-count').dataset['value'], 'the tick stands').toBe('1');
  });
});

describe('what has left the queue', () => {
  beforeEach(() => router.go('incidents'));

  it('is no longer selected', async () => {
    const platform = await show();
    const [first, second] = rows();
    if (first === undefined || second === undefined) throw new Error('no incidents');
    const [gone, kept] = [Number(first.dataset['number']), Number(second.dataset['number'])];
    await fireEvent.click(within(first).getByRole('checkbox'));
    await fireEvent.click(within(second).getByRole('checkbox'));
    await fireEvent.click(within(first).getAllByRole('gridcell')[1] ?? first);
    await waitFor(() => hook('incident-title'));
    await fireEvent.click(hook('resolve'));
    await waitFor(() => hook('resolve-dialog'));
    await fireEvent.keyDown(document.body, { key: '1' });
    await fireEvent.input(hook('resolve-reason'), { target: { value: 'An attack' } });
    await fireEvent.click(hook('resolve-confirm'));
    await waitFor(() => expect(requests(platform, 'incident_resolve')).toMatchObject([{ number: gone }]));
    await waitFor(() => expect(hook('bulk-count').dataset['value']).toBe('1'));
    await fireEvent.keyDown(document.body, { key: 't' });
    await waitFor(() => expect(requests(platform, 'incident_bulk')).toMatchObject([{ numbers: [kept] }]));
  });

  it('hands the active row on to the next that stayed', async () => {
    await show();
    const numbers = rows().map((row) => row.dataset['number']);
    const grid = screen.getByRole('grid');
    for (let n = 0; n < 2; n += 1) {
      await fireEvent.keyDown(grid, { key: 'j' });
      await fireEvent.keyDown(document.body, { key: 'x' });
    }
    await fireEvent.keyDown(document.body, { key: 'f' });
    await waitFor(() => hook('bulk-dialog'));
    await fireEvent.keyDown(document.body, { key: 's' });
    await fireEvent.click(hook('bulk-confirm'));
    await waitFor(() => expect(rows().map((row) => row.dataset['number'])).not.toContain(numbers[1]));
    await waitFor(() => expect(document.querySelector<HTMLElement>('[data-test=incident-row][data-active]')?.dataset['number']).toBe(numbers[2]));
  });

  it('or was left alone says why to whoever asks, by key as well', async () => {
    const platform = await show();
    const number = Number(rows()[0]?.dataset['number']);
    platform.answers.incident_bulk = () => ({ changed: [], skipped: [{ number, reason: `incident ${number} is resolved already` }], undo: null });
    await fireEvent.keyDown(screen.getByRole('grid'), { key: 'j' });
    await fireEvent.keyDown(document.body, { key: 'x' });
    await fireEvent.click(hook('bulk-take'));
    await waitFor(() => hook('bulk-skipped'));
    expect(hook('bulk-skipped').tagName).toBe('BUTTON');
    await fireEvent.click(hook('bulk-skipped'));
    expect(hook('bulk-why').textContent).toContain('is resolved already');
    await fireEvent.click(hook('bulk-skipped'));
    expect(document.querySelector('[data-test=bulk-why]')).toBeNull();
  });

  it('is not undone by a key while a new selection hides what would be undone', async () => {
    const platform = await show();
    await fireEvent.keyDown(screen.getByRole('grid'), { key: 'j' });
    await fireEvent.keyDown(document.body, { key: 'x' });
    await fireEvent.click(hook('bulk-take'));
    await waitFor(() => hook('bulk-undo'));
    expect(hook('bulk-outcome').textContent, 'of one, which').toMatch(/#\d+ taken/);
    await fireEvent.keyDown(document.body, { key: 'x' });
    await waitFor(() => hook('bulk-bar'));
    await fireEvent.keyDown(document.body, { key: 'u' });
    expect(requests(platform, 'incident_undo')).toHaveLength(0);
    await fireEvent.keyDown(document.body, { key: 'x' });
    await waitFor(() => hook('bulk-undo'));
    await fireEvent.keyDown(document.body, { key: 'u' });
    await waitFor(() => expect(requests(platform, 'incident_undo')).toHaveLength(1));
  });
});

describe('the queue', () => {
  beforeEach(() => router.go('incidents'));

  it('says why a key did nothing to an incident that cannot be read', async () => {
    const { app } = await open();
    router.go('incidents', '99999');
    await waitFor(() => hook('incident-page'));
    await fireEvent.keyDown(document.body, { key: 't' });
    await waitFor(() => expect(app.toasts.shown.map((toast) => toast.text)).toEqual(['there is no incident #99999']));
  });

  it('does not bring a person back who left while typing', async () => {
    const { view } = await open();
    vi.useFakeTimers();
    try {
      await fireEvent.input(hook('incident-search'), { target: { value: 'sql' } });
      router.go('overview');
      view.unmount();
      vi.advanceTimersByTime(1_000);
    } finally {
      vi.useRealTimers();
    }
    expect(router.current.panel).toBe('overview');
  });
});

describe('the actions of an incident', () => {
  beforeEach(() => router.go('incidents'));

  it('merge it into a similar one, with a reason', async () => {
    const platform = await show();
    await fireEvent.keyDown(screen.getByRole('grid'), { key: 'j' });
    const number = Number(rows()[0]?.dataset['number']);
    await fireEvent.keyDown(document.body, { key: 'm' });
    await waitFor(() => expect(hook('merge-dialog').querySelectorAll('label').length).toBeGreaterThan(1));
    await fireEvent.click(hook('merge-confirm'));
    expect(requests(platform, 'incident_merge'), 'a merge needs a reason').toHaveLength(0);
    await fireEvent.input(hook('merge-number'), { target: { value: '#5' } });
    await fireEvent.input(hook('merge-reason'), { target: { value: 'One campaign' } });
    await fireEvent.click(hook('merge-confirm'));
    await waitFor(() => expect(requests(platform, 'incident_merge')).toEqual([{ numbers: [number], into: 5, reason: 'One campaign' }]));
  });

  it('escalate it: to somebody or to a higher severity, never to nobody', async () => {
    // One that can be raised.
    router.go('incidents', null, { severity: 'high' });
    const platform = await show();
    await fireEvent.keyDown(screen.getByRole('grid'), { key: 'j' });
    await fireEvent.keyDown(document.body, { key: 'e' });
    await waitFor(() => hook('escalate-dialog'));
    await fireEvent.input(hook('escalate-text'), { target: { value: 'The shop is down' } });
    expect(hook<HTMLButtonElement>('escalate-confirm').disabled).toBe(true);
    expect(hook('escalate-dialog').textContent, 'it says why').toContain('say whom to call in');
    await fireEvent.input(hook('escalate-to'), { target: { value: 'lead' } });
    await fireEvent.click(hook('escalate-confirm'));
    await waitFor(() => expect(requests(platform, 'incident_escalate')[0]).toMatchObject({ to: 'lead', severity: null, reason: 'The shop is down' }));
  });
});

describe('since when', () => {
  beforeEach(() => router.go('incidents', null, {}));

  it('is chosen beside the queue, goes on without an end, and is taken back by one press', async () => {
    const platform = await show();
    const before = Date.now();
    await choose('since-opened', '24h');
    await waitFor(() => expect(hook('span-filter').textContent).toBe('Opened: Last 24 hours'));
    const asked = (): IncidentPageRequest => requests(platform, 'incident_page').at(-1) as IncidentPageRequest;
    await waitFor(() => expect(asked().filter.opened).toBeDefined());
    const { from = '', to = '' } = (requests(platform, 'incident_page') as IncidentPageRequest[]).find(({ filter }) => filter.opened !== undefined)?.filter.opened ?? {};
    expect(Math.abs(Date.parse(from) - (before - 86_400_000))).toBeLessThan(360_000);
    expect(Date.parse(to), 'what comes now is in it').toBeGreaterThan(Date.now() + 86_400_000);
    expect(router.current.query['opened'], 'a view that is saved now moves with the time').toBe('24h');
    expect(hook<HTMLSelectElement>('since-opened').value).toBe('24h');

    await choose('since-changed', '1h');
    await waitFor(() => expect(document.querySelectorAll('[data-test=span-filter]')).toHaveLength(2));
    await choose('since-opened', 'any');
    await waitFor(() => expect(hook('span-filter').textContent).toBe('Changed: Last hour'));
    await fireEvent.click(hook('span-filter'));
    await waitFor(() => expect(document.querySelector('[data-test=span-filter]')).toBeNull());
    expect(router.current.query).toEqual({});
  });
});

describe('filters beside an open incident', () => {
  beforeEach(() => router.go('incidents', null, { status: 'all', severity: 'critical' }));

  it('are named and taken off, and the incident stays open', async () => {
    await show();
    expect(document.querySelector('[data-test=filter-strip]'), 'the facets say so').toBeNull();
    router.go('incidents', rows()[0]?.dataset['number'] ?? '', router.current.query);
    await waitFor(() => hook('incident-page'));
    const { detail } = router.current;
    expect(hook('chip-status').textContent).toBe('Any state');
    expect(hook('chip-severity').textContent).toContain('Critical');
    await fireEvent.click(hook('chip-severity'));
    await waitFor(() => expect(document.querySelector('[data-test=chip-severity]')).toBeNull());
    expect(router.current.query).toEqual({ status: 'all' });
    await fireEvent.click(hook('filter-strip-clear'));
    await waitFor(() => expect(document.querySelector('[data-test=filter-strip]')).toBeNull());
    expect(router.current).toMatchObject({ panel: 'incidents', detail, query: {} });
  });
});

describe('an incident that is not there', () => {
  beforeEach(() => router.go('incidents', null, {}));

  it('says so, offers no second try, and is closed', async () => {
    await show();
    router.go('incidents', '999999');
    await waitFor(() => hook('error-state'));
    expect(document.querySelector('[data-test=retry]')).toBeNull();
    await fireEvent.click(hook('incident-close'));
    await waitFor(() => expect(document.querySelector('[data-test=incident-page]')).toBeNull());
  });
});

describe('an incident alone in a wide window', () => {
  beforeEach(() => router.go('incidents'));

  it('has what is done about it beside it, once', async () => {
    await show();
    const number = rows()[0]?.dataset['number'] ?? '';
    router.go('incidents', number, { view: 'full' });
    await waitFor(() => hook('incident-tab-notes'));
    expect(document.querySelector('[data-test=incident-side]'), 'there is no room').toBeNull();
    router.go('incidents');
    await waitFor(() => expect(rows().length).toBeGreaterThan(5));
    vi.spyOn(HTMLElement.prototype, 'clientWidth', 'get').mockReturnValue(1_700);
    router.go('incidents', number, { view: 'full' });
    await waitFor(() => hook('incident-side'));
    const side = within(hook('incident-side'));
    for (const name of ['Response', 'Notes', 'Entities', 'Newest activity']) expect(side.getByRole('region', { name })).toBeTruthy();
    expect(screen.getAllByRole('tab').map((tab) => tab.textContent?.replace(/[\d,]+$/, ''))).toEqual(['Why', 'Evidence', 'Timeline', 'Entities', 'Related']);
    expect(document.querySelectorAll('[data-test=incident-events]')).toHaveLength(1);
    await fireEvent.click(hook('incident-tab-timeline'));
    await waitFor(() => expect(side.queryByRole('region', { name: 'Newest activity' })).toBeNull());
    expect(side.getByRole('region', { name: 'Entities' })).toBeTruthy();
  });

  it('stays one column beside the queue, however wide the window is', async () => {
    vi.spyOn(HTMLElement.prototype, 'clientWidth', 'get').mockReturnValue(1_700);
    await show();
    router.go('incidents', rows()[0]?.dataset['number'] ?? '');
    await waitFor(() => hook('incident-tab-notes'));
    expect(document.querySelector('[data-test=incident-side]')).toBeNull();
  });
});

describe('words that are longer than their column', () => {
  beforeEach(() => router.go('incidents', null, { status: 'resolved' }));

  it('stand whole in the titles of the state and of the clock', async () => {
    const platform = demoPlatform();
    render(IncidentsView, { context: appContext(new App(platform)) });
    await waitFor(() => expect(rows().length).toBeGreaterThan(0));
    await waitFor(() => expect(document.querySelector('[data-test=incident-row] [title="True positive · Resolved"], [data-test=incident-row] [title="False positive · Resolved"]')).not.toBeNull());
    router.go('incidents', null, {});
    const clock = await waitFor(() => hook('sla'));
    expect(clock.title).toContain(clock.textContent?.trim());
  });
});

describe('an incident that was opened from elsewhere', () => {
  beforeEach(() => router.go('incidents'));

  it('is brought into sight in the queue, however far down it is', async () => {
    await show();
    const grid = screen.getByRole('grid');
    const before = grid.scrollTop;
    const all = await demoPlatform().call('incident_page', { filter: { status: ['open', 'investigating', 'contained', 'reopened'], severity: [], family: [], assignee: null, text: null, entity: null }, order: 'urgency', after: null, limit: 200 });
    const last = all.rows.at(-1)?.number ?? 0;
    router.go('incidents', String(last));
    await waitFor(() => expect(grid.scrollTop).toBeGreaterThan(before));
    await fireEvent.scroll(grid);
    await waitFor(() => expect(document.querySelector('[data-active]')?.getAttribute('data-number')).toBe(String(last)));
    expect(document.querySelector('[data-test=opened-apart]'), 'it is one of the rows').toBeNull();
  });

  it('is named above the rows when it is none of them, until it is left', async () => {
    const platform = await show();
    const filter = { status: ['resolved' as const], severity: [], family: [], assignee: null, text: null, entity: null };
    const resolved = (await platform.call('incident_page', { filter, order: 'newest', after: null, limit: 1 })).rows[0]?.number ?? 0;
    router.go('incidents', String(resolved));
    await waitFor(() => expect(hook('opened-apart').dataset['number']).toBe(String(resolved)));
    expect(rows().map((row) => row.dataset['number'])).not.toContain(String(resolved));
    await fireEvent.keyDown(document.body, { key: 'j' });
    await waitFor(() => expect(document.querySelector('[data-test=opened-apart]')).toBeNull());
    expect(router.current.detail).toBe(rows()[0]?.dataset['number']);
  });

  it('is brought into sight also from beyond the rows that are loaded, and the keys go on from there', async () => {
    const platform = await show();
    const answer = platform.answers.incident_page;
    // Pages of ten, as of a long queue.
    platform.answers.incident_page = async (request) => {
      if (answer === undefined) throw new Error('the demo has a queue');
      return await answer({ ...request, limit: 10 });
    };
    const filter = { status: [], severity: [], family: [], assignee: null, text: null, entity: null };
    const all = (await answer?.({ filter, order: 'urgency', after: null, limit: 500 }))?.rows ?? [];
    const wanted = all.at(-9)?.number ?? 0;
    router.go('incidents', String(wanted), { status: 'all' });
    await waitFor(async () => {
      await fireEvent.scroll(screen.getByRole('grid'));
      expect(document.querySelector('[data-active]')?.getAttribute('data-number')).toBe(String(wanted));
    });
    expect(document.querySelector('[data-test=opened-apart]'), 'it is one of the rows').toBeNull();
    await fireEvent.keyDown(document.body, { key: 'j' });
    await waitFor(() => expect(router.current.detail).toBe(String(all.at(-8)?.number)));
    await fireEvent.keyDown(document.body, { key: 'k' });
    await fireEvent.keyDown(document.body, { key: 'k' });
    await waitFor(() => expect(router.current.detail).toBe(String(all.at(-10)?.number)));
  });
});
