import { cleanup, fireEvent, render, waitFor } from '@testing-library/svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { searched } from '$ui/domain/event/searched.svelte';
import type { EventFigures, EventPageRequest } from '$ui/generated/model';
import { demoPlatform } from '$ui/platform/demo/index';
import type { FakePlatform } from '$ui/platform/fake';
import { App, appContext } from '$ui/state/app.svelte';
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

  it('comes back to the search of before', async () => {
    searched.query = 'status:>=500';
    show();
    await waitFor(() => expect(queries()).toEqual(['status:>=500']));
    expect(router.current.query).toEqual({ q: 'status:>=500' });
  });

  it('shows a fault where it is, keeps what was found, and mends it', async () => {
    show({ q: 'user:anna' });
    await waitFor(() => hook('events-count'));
    await type('user:anna statsu:500');
    await fireEvent.keyDown(hook('event-search'), { key: 'Enter' });
    await waitFor(() => hook('event-search-fault'));
    expect(document.querySelector('mark')?.textContent).toBe('statsu');
    expect(queries(), 'nothing else was asked').toEqual(['user:anna']);
    expect(hook('event-search').getAttribute('aria-invalid')).toBe('true');
    await fireEvent.click(hook('event-search-mend'));
    await waitFor(() => expect(queries().at(-1)).toBe('user:anna status:500'));
    expect(find('event-search-fault')).toBeNull();
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

  it('follows new events without a jump', async () => {
    show();
    await waitFor(() => hook('event-row'));
    const before = Number(hook('events-count').dataset['value']);
    const answer = platform.answers.event_page;
    const { rows } = (await answer?.({ period: null, category: [], severity: [], outcome: null, entity: null, text: null, query: null, after: null, limit: 1 })) ?? { rows: [] };
    const [newest] = rows;
    if (newest === undefined) throw new Error('the demo has events');
    await fireEvent.click(hook('events-follow'));
    await waitFor(() => expect(asked<EventPageRequest>('event_page').at(-1)?.period?.to).toBe('2199-12-31T00:00:00Z'));
    const at = new Date(Date.now() + 60_000).toISOString();
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
});
