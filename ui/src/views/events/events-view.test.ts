import { cleanup, fireEvent, render, waitFor } from '@testing-library/svelte';
import { tick } from 'svelte';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { searched } from '$ui/domain/event/searched.svelte';
import type { EventFigures, EventPageRequest } from '$ui/generated/model';
import { demoPlatform } from '$ui/platform/demo/index';
import type { FakePlatform } from '$ui/platform/fake';
import { stamp } from '$ui/shared/format/time';
import { App, appContext } from '$ui/state/app.svelte';
import { clock } from '$ui/state/clock.svelte';
import { period } from '$ui/state/period.svelte';
import { prefs } from '$ui/state/prefs.svelte';
import { router } from '$ui/state/router.svelte';
import EventsView from './events-view.svelte';

function find(name: string): HTMLElement | null {
  return document.querySelector<HTMLElement>(`[data-test="${name}"]`);
}

function hook<T extends HTMLElement>(name: string): T {
  const found = find(name);
  if (found === null) throw new Error(`no ${name} on screen`);
  return found as T;
}

const DAY_MS = 86_400_000;
let platform: FakePlatform;
let app: App;

function show(query: Record<string, string> = {}): void {
  router.replace('events', null, query);
  platform = demoPlatform();
  app = new App(platform);
  render(EventsView, { context: appContext(app) });
}

function asked<Request>(name: string): Request[] {
  return platform.calls.filter((call) => call.name === name).map((call) => call.request as Request);
}

function queries(): (string | null)[] {
  return asked<EventPageRequest>('event_page').map((request) => request.query);
}

async function type(text: string): Promise<void> {
  const box = hook<HTMLInputElement>('event-search');
  box.value = text;
  box.setSelectionRange(text.length, text.length);
  await fireEvent.input(box);
}

beforeEach(() => {
  localStorage.clear();
  searched.query = '';
  period.preset = '24h';
});
afterEach(() => router.replace('overview', null, {}));

describe('the Events panel', () => {
  it('searches what the address says, also in the words of older links', async () => {
    show({ entity: 'ip:203.0.113.7', outcome: 'failure' });
    await waitFor(() => expect(queries()).toEqual(['ip:203.0.113.7 outcome:failure']));
    expect(hook<HTMLInputElement>('event-search').value).toBe('ip:203.0.113.7 outcome:failure');
    expect(router.current.query).toEqual({ q: 'ip:203.0.113.7 outcome:failure' });
    await waitFor(() => hook('events-count'));
    expect(asked<{ query: string }>('event_figures').at(-1)?.query).toBe('ip:203.0.113.7 outcome:failure');
  });

  it('goes from the box back to the rows, where the keys of the list work', async () => {
    show();
    const grid = await waitFor(() => {
      const found = document.querySelector<HTMLElement>('[role=grid]');
      if (found === null) throw new Error('no rows yet');
      return found;
    });
    await fireEvent.keyDown(document.body, { key: '/' });
    expect(document.activeElement).toBe(hook('event-search'));
    await fireEvent.keyDown(hook('event-search'), { key: 'Escape' });
    expect(document.activeElement).toBe(grid);
  });

  it('tells the seconds of events before midnight, too', async () => {
    clock.now = Date.now() + 2 * DAY_MS;
    onTestFinished(() => {
      clock.now = Date.now();
    });
    show();
    await waitFor(() => hook('event-row'));
    expect(hook('event-row').querySelector('time')?.textContent).toMatch(/^\d\d-\d\d \d\d:\d\d:\d\d$/);
  });

  it('comes back to the search of before', async () => {
    searched.query = 'status:>=500';
    show();
    await waitFor(() => expect(queries()).toEqual(['status:>=500']));
    expect(router.current.query).toEqual({ q: 'status:>=500' });
  });

  it('shows a fault where it is, keeps what was found, and mends it', async () => {
    show({ q: 'user:anna' });
    await waitFor(() => hook('events-count'));
    const row = hook('event-search-hint').parentElement;
    await type('user:anna statsu:500');
    await fireEvent.keyDown(hook('event-search'), { key: 'Enter' });
    await waitFor(() => hook('event-search-fault'));
    expect([hook('event-search-fault').parentElement === row, find('event-search-hint')], 'a fault takes the row that was there for it').toEqual([true, null]);
    expect(document.querySelector('mark')?.textContent).toBe('statsu');
    expect(queries(), 'nothing else was asked').toEqual(['user:anna']);
    expect(['events-count', 'event-facets', 'event-row'].map((name) => hook(name).closest('.outdated') !== null), 'all of it is of the search before').toEqual([true, true, true]);
    expect(hook('event-search').getAttribute('aria-invalid')).toBe('true');
    await fireEvent.click(hook('event-search-mend'));
    await waitFor(() => expect(queries().at(-1)).toBe('user:anna status:500'));
    expect(find('event-search-fault')).toBeNull();
    await waitFor(() => expect(hook('events-count').closest('.outdated')).toBeNull());
  });

  it('does not call wrong what is still being written, unless somebody pauses there', async () => {
    show({ q: 'user:anna' });
    await waitFor(() => hook('events-count'));
    const looks = asked('event_query').length;
    await type('user:anna statsu:5');
    await waitFor(() => expect(asked('event_query').length).toBe(looks + 1));
    expect(find('event-search-fault')).toBeNull();
    expect(hook('event-search').getAttribute('aria-invalid')).not.toBe('true');
    await waitFor(() => hook('event-search-fault'), { timeout: 4_000 });
    await type('statsu:500 user:anna');
    await waitFor(() => expect(document.querySelector('mark')?.nextSibling?.textContent, 'a word that is done with is marked at once').toContain('user'));
  });

  it('says of how many events the frequent values are', async () => {
    show();
    await waitFor(() => hook('event-facet'));
    expect(find('facets-cap'), 'they count all').toBeNull();
    cleanup();
    show();
    const answer = platform.answers.event_figures;
    platform.answers.event_figures = async (request) => ({ ...((await answer?.(request)) as EventFigures), total: 1_204_311, facet_rows: 50_000, facets_complete: false });
    await waitFor(() => expect(hook('facets-cap').textContent).toContain('newest 50,000 of 1,204,311'));
    expect(hook('event-facet').textContent).toMatch(/\+/);
  });

  it('leads nobody back who typed and left', async () => {
    show({ q: 'user:anna' });
    await waitFor(() => hook('events-count'));
    vi.useFakeTimers();
    try {
      await type('user:robin');
      router.replace('incidents', null, {});
      cleanup();
      await vi.advanceTimersByTimeAsync(2_000);
    } finally {
      vi.useRealTimers();
    }
    expect(router.current.panel).toBe('incidents');
  });

  it('completes fields and the values that were found', async () => {
    show();
    await waitFor(() => hook('events-count'));
    await type('sev');
    await waitFor(() => expect(hook('event-suggestion').textContent).toContain('severity'));
    await fireEvent.keyDown(hook('event-search'), { key: 'Tab' });
    expect(hook<HTMLInputElement>('event-search').value).toBe('severity:');
    await waitFor(() => expect(document.querySelectorAll('[data-test=event-suggestion]').length).toBeGreaterThan(2));
    await fireEvent.keyDown(hook('event-search'), { key: 'ArrowDown' });
    await fireEvent.keyDown(hook('event-search'), { key: 'Enter' });
    expect(hook<HTMLInputElement>('event-search').value).toMatch(/^severity:\w+ $/);
  });

  it('goes on offering the values that begin with what stands there, and keeps the list until a value is chosen', async () => {
    show({ q: 'outcome:failure' });
    await waitFor(() => hook('events-count'));
    const answer = platform.answers.event_figures;
    const rare = { field: 'user', values: [{ value: 'larissa', n: 2 }] };
    platform.answers.event_figures = async (request) => {
      const figures = (await answer?.(request)) as EventFigures;
      return request.facets?.includes('user') === true ? { ...figures, facets: [rare] } : figures;
    };
    await type('outcome:failure user:la');
    await waitFor(() => expect(asked<{ query: string }>('event_figures').at(-1)?.query).toBe('outcome:failure user:la*'));
    await waitFor(() => expect([...document.querySelectorAll('[data-test=event-suggestion]')].map((one) => one.textContent?.trim())).toContainEqual(expect.stringContaining('larissa')));
    expect(queries(), 'half a value is not searched for').toEqual(['outcome:failure']);
    await fireEvent.keyDown(hook('event-search'), { key: 'Tab' });
    await waitFor(() => expect(queries().at(-1)).toBe('outcome:failure user:larissa'));
  });

  const offered = (): (string | undefined)[] => [...document.querySelectorAll('[data-test=event-suggestion] > :first-child')].map((one) => one.textContent?.trim());

  it.each([
    ['path:/a', '/api', 'path:/a*'],
    ['agent:mo', 'Mozilla/5.0 (X11)', 'agent:(mo* Mo*)'],
    ['user:(anna da', 'dana', 'user:da*'],
    ['user:"da', 'dana', 'user:da*'],
  ])('offers what begins with %s, and leaves the list as it is meanwhile', async (text, value, question) => {
    show({ q: 'outcome:failure' });
    await waitFor(() => hook('events-count'));
    const answer = platform.answers.event_figures;
    platform.answers.event_figures = async (request) => {
      const figures = (await answer?.(request)) as EventFigures;
      const [field] = request.facets ?? [];
      return field === undefined ? figures : { ...figures, facets: [{ field, values: [{ value, n: 2 }] }] };
    };
    await type(text);
    await waitFor(() => expect(offered()).toContain(value));
    expect(asked<{ query: string }>('event_figures').at(-1)?.query).toBe(question);
    expect(queries()).toEqual(['outcome:failure']);
  });

  it('leaves the list as it is while it offers fields, until somebody searches for the word', async () => {
    show({ q: 'outcome:failure' });
    await waitFor(() => hook('events-count'));
    for (const part of ['se', 'seve', 'severi']) {
      const looks = asked('event_query').length;
      await type(part);
      await waitFor(() => expect(offered()).toContain('severity'));
      await waitFor(() => expect(asked('event_query').length).toBeGreaterThan(looks));
    }
    expect(queries(), 'the beginning of a field is not searched for').toEqual(['outcome:failure']);
    await fireEvent.keyDown(hook('event-search'), { key: 'Enter' });
    await waitFor(() => expect(queries().at(-1)).toBe('severi'));
  });

  it('offers values where the caret is moved to, without a key of a letter', async () => {
    show({ q: 'user:anna outcome:fai status:500' });
    await waitFor(() => hook('events-count'));
    expect(offered()).toEqual([]);
    const box = hook<HTMLInputElement>('event-search');
    box.setSelectionRange(21, 21);
    await fireEvent.click(box);
    await waitFor(() => expect(offered()).toEqual(['failure']));
    await fireEvent.keyDown(box, { key: 'Tab' });
    expect(box.value).toBe('user:anna outcome:failure status:500');
  });

  it('offers the names of details that the rows have, and days for a time', async () => {
    show();
    const answer = platform.answers.event_page;
    platform.answers.event_page = async (request) => {
      const page = await answer?.(request);
      if (page === undefined) throw new Error('the demo has events');
      return { ...page, rows: page.rows.map((row) => ({ ...row, details: { order: { id: 7 } } })) };
    };
    await waitFor(() => hook('event-row'));
    await type('details.');
    await waitFor(() => expect(offered()).toEqual(['details.order.id']));
    await fireEvent.keyDown(hook('event-search'), { key: 'Tab' });
    await waitFor(() => expect(offered()).toEqual(['7']));
    await type('at:');
    await waitFor(() => expect(offered()).toHaveLength(7));
    expect(offered()[0]).toBe(stamp(Date.now(), prefs.zone, 'day'));
  });

  it('says nothing of a fault while there is a list of how it goes on, until it is closed', async () => {
    show({ q: 'outcome:failure' });
    await waitFor(() => hook('events-count'));
    platform.answers.event_query = async (request) => {
      const reply = await demoPlatform().answers.event_query?.({ query: '' });
      if (reply === undefined) throw new Error('the demo has a language');
      return { ...reply, fault: request.query === 'ip:20' ? { at: 3, length: 2, message: '"20" is no address', problem: { kind: 'no_address', text: '20' }, expected: [], suggestion: null } : null };
    };
    const answer = platform.answers.event_figures;
    platform.answers.event_figures = async (request) => ({ ...((await answer?.(request)) as EventFigures), facets: [{ field: 'ip', values: [{ value: '203.0.113.7', n: 2 }] }] });
    vi.useFakeTimers({ shouldAdvanceTime: true });
    try {
      await type('ip:20');
      await waitFor(() => expect(offered()).toContain('203.0.113.7'));
      await vi.advanceTimersByTimeAsync(5_000);
      expect(find('event-search-fault')).toBeNull();
      await fireEvent.keyDown(hook('event-search'), { key: 'Escape' });
      await waitFor(() => hook('event-search-fault'));
    } finally {
      vi.useRealTimers();
    }
  });

  it('keeps the list while somebody writes a field, its colon and half a value', async () => {
    show({ q: 'outcome:failure' });
    await waitFor(() => hook('events-count'));
    for (const text of ['severity', 'severity:', 'severity:l', 'Severity', 'details.country', 'details.country:']) {
      const looks = asked('event_query').length;
      await type(text);
      await waitFor(() => expect(asked('event_query').length, text).toBeGreaterThan(looks));
      for (let turn = 0; turn < 20; turn += 1) await tick();
      expect(queries(), text).toEqual(['outcome:failure']);
    }
    await type('severity:low');
    await waitFor(() => expect(queries()).toEqual(['outcome:failure', 'severity:low']));
    await type('severity');
    await fireEvent.keyDown(hook('event-search'), { key: 'Enter' });
    await waitFor(() => expect(queries().at(-1), 'who says so looks for the word').toBe('severity'));
  });

  it('searches for the beginning of a value once somebody says so, or leaves the box', async () => {
    show();
    await waitFor(() => hook('events-count'));
    const value = hook('event-facet').dataset['value'] ?? '';
    const half = `${hook('event-facet').dataset['field'] ?? ''}:${value.slice(0, 2)}`;
    const settled = async (times: number): Promise<void> => waitFor(() => expect(asked('event_query')).toHaveLength(times));
    const looks = asked('event_query').length;
    await type(half);
    await settled(looks + 1);
    expect(queries().at(-1), half).not.toBe(half);
    await fireEvent.blur(hook('event-search'));
    await waitFor(() => expect(queries().at(-1)).toBe(half));
  });

  it('narrows by a frequent value, and by all but it', async () => {
    show();
    await waitFor(() => hook('event-facet'));
    const first = hook('event-facet');
    const condition = `${first.dataset['field'] ?? ''}:${first.dataset['value'] ?? ''}`;
    await fireEvent.click(first);
    await waitFor(() => expect(queries().at(-1)).toBe(condition));
    await fireEvent.click(hook('event-facet'), { altKey: true });
    await waitFor(() => expect(queries().at(-1)).toBe(`-${condition}`));
    expect(localStorage.getItem('watchpost.events.query')).toBe(`-${condition}`);
  });

  it('opens an event and searches for what it says', async () => {
    show();
    await waitFor(() => hook('event-row'));
    await fireEvent.click(hook('event-row'));
    await waitFor(() => hook('event-detail'));
    await fireEvent.click(hook('filter-for'));
    await waitFor(() => expect(queries().at(-1)).toMatch(/^type:/));
  });

  it('says of an event what the rules read in it, and leads to its incident', async () => {
    show();
    await waitFor(() => hook('event-row'));
    const all = await platform.answers.incident_page?.({ filter: { status: [], severity: [], family: [], assignee: null, text: null, entity: null }, order: 'newest', after: null, limit: 1 });
    if (all === undefined) throw new Error('the demo has incidents');
    Object.assign(platform.answers, {
      incident_page: () => all,
      rule_try: () => ({ tried_as: 'event', fields: [{ field: 'http.query', layers: [{ decoder: 'raw', text: 'id=1%27', span: null }, { decoder: 'percent', text: "id=1'", span: null }] }, { field: 'http.path', layers: [{ decoder: 'raw', text: '/a', span: null }] }], findings: [] }),
    });
    await fireEvent.click(hook('event-row'));
    await waitFor(() => expect(hook('event-decoded').textContent).toBe("http.query: id=1'"));
    const id = asked<{ text: string }>('rule_try').map(({ text }) => (JSON.parse(text) as { id: string }).id)[0];
    expect(asked<{ filter: { event?: string } }>('incident_page').at(-1)?.filter.event, 'of this event').toBe(id);
    await waitFor(() => expect(hook('event-incident').getAttribute('href')).toContain(`/${String(all.rows[0]?.number)}`));
  });

  it('remembers the columns and exports those', async () => {
    show({ q: 'user:anna' });
    await waitFor(() => hook('events-count'));
    const status = document.querySelector<HTMLInputElement>('[data-test=event-column][data-column=status]');
    if (status === null) throw new Error('no column to choose');
    await fireEvent.click(status);
    expect(localStorage.getItem('watchpost.events.columns')).toContain('status');
    platform.picked = '/tmp/events.csv';
    await fireEvent.click(hook('events-export'));
    // The test's browser knows no popovers: it is told that one opened.
    for (const one of document.querySelectorAll<HTMLElement>('[popover]')) {
      one.hidePopover = () => undefined;
      one.dispatchEvent(Object.assign(new Event('toggle'), { newState: 'open' }));
    }
    await waitFor(() => hook('events-export-csv'));
    await fireEvent.click(hook('events-export-csv'));
    await waitFor(() => expect(asked('event_export')).toHaveLength(1));
    expect(asked('event_export')[0]).toMatchObject({ query: 'user:anna', format: 'csv', path: '/tmp/events.csv' });
    expect(asked<{ columns: string[] }>('event_export')[0]?.columns).toEqual(['at', 'severity', 'type', 'outcome', 'ip', 'user', 'status', 'action', 'resource', 'method', 'path', 'query']);
  });

  it('asks in the zone that it shows', async () => {
    const here = Intl.DateTimeFormat().resolvedOptions();
    const zone = vi.spyOn(Intl.DateTimeFormat.prototype, 'resolvedOptions').mockReturnValue({ ...here, timeZone: 'Asia/Tokyo' });
    prefs.zone = 'local';
    show({ q: 'at:>=2026-11-22T21:00' });
    await waitFor(() => hook('event-row'));
    for (const name of ['event_page', 'event_figures', 'event_query']) await waitFor(() => expect(asked<{ zone?: string }>(name).at(-1)?.zone, name).toBe('Asia/Tokyo'));
    prefs.zone = 'utc';
    await waitFor(() => expect(asked<{ zone?: string }>('event_page').at(-1)?.zone).toBeUndefined());
    prefs.zone = 'local';
    zone.mockRestore();
  });

  it('is fetched again with everything else', async () => {
    show();
    await waitFor(() => hook('event-row'));
    const before = queries().length;
    const answer = platform.answers.event_page;
    const { rows } = (await answer?.({ period: null, category: [], severity: [], outcome: null, entity: null, text: null, query: null, after: null, limit: 1 })) ?? { rows: [] };
    platform.answers.event_page = () => ({ rows, next: null });
    app.refresh();
    await waitFor(() => expect(queries()).toHaveLength(before + 1));
    await waitFor(() => expect(document.querySelectorAll('[data-test=event-row]')).toHaveLength(1));
  });

  it('offers a way on where nothing is found, and leaves no blank areas', async () => {
    const made = demoPlatform().answers.event_figures;
    show({ q: 'user:nobody' });
    platform.answers.event_page = () => ({ rows: [], next: null });
    platform.answers.event_figures = async (request) => {
      if (made === undefined) throw new Error('the demo has figures');
      return { ...(await made(request)), total: 0, facets: [], histogram: { start: '2026-11-22T00:00:00Z', bucket_s: 60, series: [] } };
    };
    await waitFor(() => expect(hook('events-none').textContent).toContain('fewer conditions'));
    await waitFor(() => hook('events-histogram'));
    expect(hook('facets-none').textContent).toContain('most frequent values');
    await fireEvent.click(hook('events-none-clear'));
    await waitFor(() => expect(queries().at(-1)).toBeNull());
    expect(find('events-none-clear'), 'there is nothing left to clear').toBeNull();
    await waitFor(() => hook('events-none-all'));
    expect(hook('events-none').textContent, 'there is no condition').not.toContain('fewer conditions');
    await fireEvent.click(hook('events-none-all'));
    await waitFor(() => expect(asked<EventPageRequest>('event_page').at(-1)?.period).toBeNull());
    await waitFor(() => hook('events-none'));
    expect(find('events-none-all')).toBeNull();
  });

  it('follows new events without a jump', async () => {
    show();
    await waitFor(() => hook('event-row'));
    const before = Number(hook('events-count').dataset['value']);
    const answer = platform.answers.event_page;
    const { rows } = (await answer?.({ period: null, category: [], severity: [], outcome: null, entity: null, text: null, query: null, after: null, limit: 1 })) ?? { rows: [] };
    const [newest] = rows;
    if (newest === undefined) throw new Error('the demo has events');
    await fireEvent.click(hook('events-follow'));
    const followed = await waitFor(() => {
      const { period: whole } = asked<EventPageRequest>('event_page').at(-1) ?? {};
      if (whole === null || whole === undefined || new Date(whole.to).getTime() < Date.now() + DAY_MS) throw new Error('it does not follow yet');
      return whole;
    });
    expect(new Date(followed.to).getTime() - new Date(followed.from).getTime(), 'what the backend takes').toBeLessThan(366 * 20 * DAY_MS);
    // Later than the period of the figures ends.
    const at = new Date(Date.now() + 600_000).toISOString();
    // The figures are old enough to be made anew.
    const later = vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 10_000);
    platform.answers.event_page = () => ({ rows: [{ ...newest, at, id: 'new' as typeof newest.id }], next: null });
    app.queries.invalidate(['events']);
    await waitFor(() => expect(Number(hook('events-count').dataset['value'])).toBe(before + 1));
    const until = new Date(new Date(at).getTime() + 1).toISOString();
    await waitFor(() => expect(asked<{ period: { to: string } | null }>('event_figures').at(-1)?.period?.to, 'the figures are of what the list shows').toBe(until));
    later.mockRestore();
    platform.answers.event_page = () => {
      const failure: unknown = { code: 'unavailable', message: 'the database does not answer' };
      throw failure;
    };
    app.queries.invalidate(['events']);
    await waitFor(() => expect(hook('events-follow-error').textContent, 'a list that stands still says why').toContain('the database does not answer'));
  });

  describe('while the list stands still', () => {
    const LOOK: Partial<EventPageRequest> = { after: null, limit: 1 };

    /** The requests that ask whether there is something newer. */
    function looks(): EventPageRequest[] {
      return asked<EventPageRequest>('event_page').filter((request) => request.limit === LOOK.limit);
    }

    async function stored(): Promise<{ arrive: () => void }> {
      show({ q: 'user:anna' });
      await waitFor(() => hook('event-row'));
      const answer = platform.answers.event_page;
      const all: EventPageRequest = { period: null, category: [], severity: [], outcome: null, entity: null, text: null, query: null, after: null, limit: 500 };
      const { rows } = (await answer?.(all)) ?? { rows: [] };
      const [newest] = rows;
      if (newest === undefined) throw new Error('the demo has events');
      let found = rows;
      platform.answers.event_page = ({ limit }) => ({ rows: found.slice(0, limit), next: null });
      return { arrive: () => void (found = [{ ...newest, at: new Date().toISOString(), id: 'new' as typeof newest.id }, ...rows]) };
    }

    it('says that something new has come, asks no more, and goes there by a press', async () => {
      const { arrive } = await stored();
      const first = hook('event-row').dataset;
      expect(looks(), 'nothing is asked before the feed says that something was stored').toEqual([]);
      arrive();
      app.queries.invalidate(['events']);
      const notice = await waitFor(() => hook('events-newer'));
      expect([notice.textContent, notice.closest('[role=status]') !== null]).toEqual(['New events have come', true]);
      expect(looks().at(-1)).toMatchObject({ query: 'user:anna', ...LOOK });
      expect(hook('event-row').dataset, 'the rows stand where they stood').toEqual(first);
      for (let turn = 0; turn < 3; turn += 1) app.queries.invalidate(['events']);
      await tick();
      expect(looks()).toHaveLength(1);
      const whole = (): number => asked<EventPageRequest>('event_page').length - looks().length;
      const before = whole();
      await fireEvent.click(notice);
      await waitFor(() => expect(whole(), 'the list is made anew').toBe(before + 1));
      await waitFor(() => hook('event-row'));
      expect(find('events-newer')).toBeNull();
      expect(document.activeElement, 'the keys of the list go on').toBe(document.querySelector('[role=grid]'));
    });

    it('says nothing of what the search does not find', async () => {
      await stored();
      app.queries.invalidate(['events']);
      await waitFor(() => expect(looks()).toHaveLength(1));
      app.queries.invalidate(['blocks']);
      await tick();
      expect([looks().length, find('events-newer')]).toEqual([1, null]);
    });

    it('leaves it to the list that follows', async () => {
      const { arrive } = await stored();
      arrive();
      app.queries.invalidate(['events']);
      await waitFor(() => hook('events-newer'));
      await fireEvent.click(hook('events-follow'));
      await waitFor(() => expect(find('events-newer')).toBeNull());
      await waitFor(() => expect(document.querySelector('[data-test=event-row]')?.textContent).toBeTruthy());
      app.queries.invalidate(['events']);
      await tick();
      expect(find('events-newer')).toBeNull();
    });
  });
});
