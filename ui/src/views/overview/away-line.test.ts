import { fireEvent, render, waitFor } from '@testing-library/svelte';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BlockListRequest, IncidentPageRequest, Kpi, OverviewRequest } from '$ui/generated/model';
import { pendingEvents } from '$ui/domain/event/events-request.svelte';
import { parseFilter, parsePeriod } from '$ui/domain/incident/filter';
import { demoPlatform } from '$ui/platform/demo/index';
import type { FakePlatform } from '$ui/platform/fake';
import { App, appContext } from '$ui/state/app.svelte';
import { lastLook } from '$ui/state/last-look.svelte';
import { prefs } from '$ui/state/prefs.svelte';
import { parseRoute } from '$ui/state/router.svelte';
import { hook, requests } from '$ui/test-hook';
import OverviewView from './overview-view.svelte';

const FROM = Date.UTC(2026, 10, 20, 14, 20);
const TO = Date.UTC(2026, 10, 20, 20, 25);

const AWAY = { from: '2026-11-20T14:20:00.000Z', to: '2026-11-20T20:25:00.000Z' };
const FIGURES: Record<string, number> = { events: 12_004, auth_failures: 1 };

/** A backend that counted these in the time away. */
async function show(): Promise<FakePlatform> {
  const platform = demoPlatform();
  const { overview, incident_page: page, block_list: blocks } = platform.answers;
  platform.answers.overview = async (request) => {
    const made = await overview?.(request);
    if (made === undefined) throw new Error('the demo has an overview');
    if (request.buckets !== 1) return made;
    return { ...made, kpis: made.kpis.map((kpi): Kpi => ({ ...kpi, value: FIGURES[kpi.name] ?? null })) };
  };
  platform.answers.incident_page = async (request) => {
    // The days of the demo are not the ones of this test.
    const { opened: _opened, changed: _changed, ...filter } = request.filter;
    const made = await page?.({ ...request, filter: { ...filter, status: [] } });
    if (made === undefined) throw new Error('the demo has incidents');
    return { ...made, total: request.filter.opened === undefined ? 7 : 4 };
  };
  platform.answers.block_list = async (request) => {
    const made = await blocks?.(request);
    if (made === undefined) throw new Error('the demo has blocks');
    return { ...made, total: request.created === undefined ? 99 : 2 };
  };
  render(OverviewView, { context: appContext(new App(platform)) });
  await waitFor(() => hook('overview'));
  return platform;
}

beforeEach(() => {
  localStorage.clear();
  prefs.zone = 'utc';
  lastLook.away = null;
  // Looked, was away, and came back.
  lastLook.look('a', FROM);
  lastLook.look('a', TO);
  pendingEvents.request = null;
});

afterEach(() => {
  lastLook.seen();
  prefs.zone = 'local';
});

describe('since the last look', () => {
  it('says what the backend counted in the time away', async () => {
    const platform = await show();
    await waitFor(() => hook('away-figures'));
    expect((requests(platform, 'overview') as OverviewRequest[]).find((request) => request.buckets === 1)?.period).toEqual(AWAY);
    expect((requests(platform, 'incident_page') as IncidentPageRequest[]).flatMap(({ filter }) => filter.opened ?? filter.changed ?? [])).toEqual([AWAY, AWAY]);
    expect((requests(platform, 'block_list') as BlockListRequest[]).map(({ created }) => created)).toEqual([AWAY]);
    expect(hook('away').textContent).toContain('away for 6 h 5 min, from 2026-11-20 14:20');
    expect([...document.querySelectorAll('[data-test=away-figures] li')].map((item) => item.textContent?.replace(/\s+/g, ' ').trim())).toEqual(['4 new incidents', '7 incidents changed', '2 blocks added', '12,004 events', '1 failed login']);
  });

  it('names the worst of what is new, as the backend orders them', async () => {
    const platform = await show();
    await waitFor(() => hook('away-incident'));
    const asked = (requests(platform, 'incident_page') as IncidentPageRequest[]).find(({ filter }) => filter.opened !== undefined);
    expect(asked).toMatchObject({ order: 'severity', limit: 3 });
    expect(document.querySelectorAll('[data-test=away-incident]')).toHaveLength(3);
  });

  it('opens exactly the rows behind its figures', async () => {
    await show();
    await waitFor(() => hook('away-figures'));
    for (const [name, what] of [['away-incidents', 'opened'], ['away-changed', 'changed']] as const) {
      const { panel, query } = parseRoute(hook(name).getAttribute('href') ?? '');
      expect([panel, parseFilter(query)]).toMatchObject(['incidents', { status: [], [what]: AWAY }]);
    }
    const { panel, query } = parseRoute(hook('away-blocks').getAttribute('href') ?? '');
    expect([panel, query['tab'], parsePeriod(query['added'])]).toEqual(['blocklist', 'added', AWAY]);
    await fireEvent.click(hook('away-failures'));
    expect(pendingEvents.request).toMatchObject({ category: ['authentication'], outcome: 'failure', period: AWAY });
  });

  it('goes when it is seen, and does not come back', async () => {
    await show();
    await fireEvent.click(hook('away-seen'));
    await waitFor(() => expect(document.querySelector('[data-test=away]')).toBeNull());
    lastLook.look('a', TO + 60_000);
    expect(lastLook.away).toBeNull();
  });

  it('says that it does not know, and asks again', async () => {
    const platform = demoPlatform();
    const answer = platform.answers.overview;
    let failing = true;
    platform.answers.overview = (request) => {
      const failure: unknown = { code: 'unavailable', message: 'the database does not answer' };
      if (failing && request.buckets === 1) throw failure;
      if (answer === undefined) throw new Error('the demo has an overview');
      return answer(request);
    };
    render(OverviewView, { context: appContext(new App(platform)) });
    await waitFor(() => hook('away-retry'));
    expect(hook('away').textContent).toContain('Could not load what happened meanwhile');
    failing = false;
    await fireEvent.click(hook('away-retry'));
    await waitFor(() => hook('away-figures'));
  });

  it('is not there when nobody was away', async () => {
    lastLook.seen();
    const platform = await show();
    expect(document.querySelector('[data-test=away]')).toBeNull();
    expect((requests(platform, 'overview') as OverviewRequest[]).some((request) => request.buckets === 1)).toBe(false);
  });
});
