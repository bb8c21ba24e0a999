import { fireEvent, render, waitFor } from '@testing-library/svelte';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { EventPageRequest, IncidentPageRequest, OverviewRequest } from '$ui/generated/model';
import EventsDrawer from '$ui/domain/event/events-drawer.svelte';
import { parseFilter, requested } from '$ui/domain/incident/filter';
import { demoPlatform } from '$ui/platform/demo/index';
import type { FakePlatform } from '$ui/platform/fake';
import { App, appContext } from '$ui/state/app.svelte';
import { parseRoute } from '$ui/state/router.svelte';
import { period } from '$ui/state/period.svelte';
import { hook } from '$ui/test-hook';
import OverviewView from './overview-view.svelte';

function show(platform: FakePlatform): App {
  const app = new App(platform);
  render(OverviewView, { context: appContext(app) });
  render(EventsDrawer, { context: appContext(app) });
  return app;
}

/** Tells of what it observes once it is laid out, as browsers do. */
class LaidOut {
  readonly #told: () => void;
  constructor(told: () => void) {
    this.#told = told;
  }
  observe(): void {
    setTimeout(this.#told);
  }
  unobserve(): void {}
  disconnect(): void {}
}

function asked<T>(platform: FakePlatform, name: string): T[] {
  return platform.calls.filter((call) => call.name === name).map((call) => call.request as T);
}

describe('the overview', () => {
  beforeEach(() => {
    period.preset = '24h';
  });

  it('shows the figures of the backend as they are', async () => {
    const platform = demoPlatform();
    show(platform);
    await waitFor(() => hook('overview'));
    const answer = platform.answers.overview;
    const [request] = asked<OverviewRequest>(platform, 'overview');
    if (answer === undefined || request === undefined) throw new Error('the demo has an overview');
    const data = await answer(request);
    for (const kpi of data.kpis) expect(hook(`kpi-${kpi.name}`).dataset['value']).toBe(String(kpi.value));
    expect(hook('threat').dataset['threat']).toBe(data.threat);
    expect(document.querySelectorAll('[data-test=top-sources] li')).toHaveLength(data.top_sources.length);
    const parts = [data.top_sources.some((row) => row.failures > 0) ? 'failed' : '', data.top_sources.some((row) => row.incidents > 0) ? 'nactive incidents' : ''];
    expect(document.querySelector('[data-test=top-sources] [data-test=top-key]')?.textContent, 'what the colours are').toBe(`Events${parts.join('')}`);
    const total = data.counts.reduce((sum, row) => sum + row.events, 0);
    expect(hook('counts-total').textContent?.replaceAll(',', '')).toBe(String(total));
  });

  it('asks anew for another period, and keeps the picture meanwhile', async () => {
    const platform = demoPlatform();
    show(platform);
    await waitFor(() => hook('overview'));
    await fireEvent.click(hook('period-7d'));
    expect(document.querySelector('[data-test=loading]'), 'no flash of nothing').toBeNull();
    await waitFor(() => expect(asked(platform, 'overview')).toHaveLength(2));
    const [before, after] = asked<OverviewRequest>(platform, 'overview').map((request) => request.period);
    const days = (span: typeof before): number => (span ? (new Date(span.to).getTime() - new Date(span.from).getTime()) / 86_400_000 : 0);
    expect([days(before), days(after)]).toEqual([1, 7]);
    await fireEvent.click(hook('period-all'));
    await waitFor(() => expect(asked<OverviewRequest>(platform, 'overview').at(-1)?.period).toBeNull());
  });

  it.each(['chart-events', 'chart-auth', 'chart-api'])('is narrowed to a bar of %s, all of it, and widened again', async (name) => {
    const platform = demoPlatform();
    // Without a width there is nothing to draw in, and no chart.
    const wide = vi.spyOn(HTMLElement.prototype, 'clientWidth', 'get').mockReturnValue(800);
    vi.stubGlobal('ResizeObserver', LaidOut);
    onTestFinished(() => {
      wide.mockRestore();
      vi.unstubAllGlobals();
    });
    show(platform);
    await waitFor(() => hook('overview'));
    const canvas = await waitFor(() => {
      const found = hook(name).querySelector<HTMLElement>('[role=img]');
      if (found?.querySelector('.uplot') === null || found === null) throw new Error('no chart yet');
      return found;
    });
    await fireEvent.keyDown(canvas, { key: 'ArrowRight' });
    await fireEvent.keyDown(canvas, { key: 'Enter' });
    await waitFor(() => expect(asked<OverviewRequest>(platform, 'overview')).toHaveLength(2));
    const narrow = asked<OverviewRequest>(platform, 'overview')[1]?.period;
    expect((Date.parse(narrow?.to ?? '') - Date.parse(narrow?.from ?? '')) / 60_000, 'one bar of 96 of a day').toBe(15);
    await fireEvent.click(hook('period-widen'));
    expect([period.preset, document.querySelector('[data-test=period-widen]')]).toEqual(['24h', null]);
  });

  it('opens the events behind a figure', async () => {
    const platform = demoPlatform();
    show(platform);
    await waitFor(() => hook('overview'));
    expect(parseRoute(hook('threat-incidents').getAttribute('href') ?? '')).toMatchObject({ panel: 'incidents', query: { severity: 'critical' } });
    await fireEvent.click(hook('kpi-auth_failures'));
    await waitFor(() => hook('event-row'));
    expect(asked<EventPageRequest>(platform, 'event_page')[0]).toMatchObject({ category: ['authentication'], outcome: 'failure', after: null });
    await fireEvent.keyDown(document.querySelector('[data-test=events-drawer] [role=grid]') ?? document.body, { key: 'j' });
    await waitFor(() => hook('event-detail'));
    await fireEvent.click(hook('count-api_usage'));
    await waitFor(() => expect(asked<EventPageRequest>(platform, 'event_page').at(-1)).toMatchObject({ category: ['api_usage'], severity: [] }));
    await fireEvent.click(hook('count-all-low'));
    await waitFor(() => expect(asked<EventPageRequest>(platform, 'event_page').at(-1)).toMatchObject({ category: [], severity: ['low'] }));
  });

  it('leads from the figures of incidents to just those that were counted', async () => {
    const platform = demoPlatform();
    show(platform);
    await waitFor(() => hook('overview'));
    const answer = platform.answers.overview;
    const page = platform.answers.incident_page;
    const [request] = asked<OverviewRequest>(platform, 'overview');
    if (answer === undefined || page === undefined || request === undefined) throw new Error('the demo has an overview');
    const data = await answer(request);
    const behind = async (name: string) => {
      const route = parseRoute(hook(`kpi-${name}`).getAttribute('href') ?? '');
      const filter = requested(parseFilter(route.query), () => 0);
      return { filter, total: (await page({ filter, order: 'newest', after: null, limit: 1 })).total };
    };
    const fresh = await behind('incidents_opened');
    expect(fresh.filter).toMatchObject({ status: [], began: data.period });
    expect(fresh.total).toBe(data.kpis.find((kpi) => kpi.name === 'incidents_opened')?.value);
    expect((await behind('mtta_s')).filter).toMatchObject({ status: [], opened: data.period, acknowledged: true });
  });

  it('leads from what was active at the end of a time that is over to what was active then', async () => {
    const platform = demoPlatform();
    show(platform);
    await waitFor(() => hook('overview'));
    const { overview, incident_page: page, block_list: blocks } = platform.answers;
    if (overview === undefined || page === undefined || blocks === undefined) throw new Error('the demo has an overview');
    const route = (name: string) => parseRoute(hook(`kpi-${name}`).getAttribute('href') ?? '');
    expect(route('incidents_active').query, 'what is active now stays in step').toEqual({ status: 'open,investigating,contained,reopened' });
    const ago = (hours: number) => Math.floor(Date.now() / 1_000) - hours * 3_600;
    period.narrow(ago(40), ago(30));
    const to = period.current?.to;
    await waitFor(() => expect(route('incidents_active').query).toEqual({ status: 'all', active_at: to }));
    const value = (name: string) => Number(hook(`kpi-${name}`).dataset['value']);
    const filter = requested(parseFilter(route('incidents_active').query), () => 0);
    expect((await page({ filter, order: 'newest', after: null, limit: 1 })).total).toBe(value('incidents_active'));
    expect(value('incidents_active')).not.toBe((await page({ filter: parseFilter({}) as typeof filter, order: 'newest', after: null, limit: 1 })).total);
    const { panel, query } = route('blocks_active');
    expect([panel, query]).toEqual(['blocklist', { tab: 'then', at: to }]);
    const held = await blocks({ state: [], in_force_at: query['at'] ?? '', limit: 500 });
    expect(held.total).toBe(value('blocks_active'));
    expect(held.total).toBeGreaterThan(0);
  });

  it('names what to act on first, whatever the period', async () => {
    const platform = demoPlatform();
    show(platform);
    await waitFor(() => hook('overview-first-row'));
    expect(asked<IncidentPageRequest>(platform, 'incident_page')[0]).toMatchObject({ order: 'urgency', filter: { status: ['open', 'investigating', 'contained', 'reopened'] } });
    const [first] = document.querySelectorAll<HTMLAnchorElement>('[data-test=overview-first-row] a');
    expect(parseRoute(first?.getAttribute('href') ?? '')).toMatchObject({ panel: 'incidents', detail: /#(\d+)/.exec(first?.textContent ?? '')?.[1] });
    expect(first?.textContent, 'each dot with its blanks').toMatch(/Critical · #\d+ · /);
    expect(parseRoute(hook('overview-first-all').getAttribute('href') ?? '')).toMatchObject({ panel: 'incidents', query: {} });
    const late = [...document.querySelectorAll('[data-test=overview-first-row]')].filter((row) => row.textContent?.includes('Critical')).map((row) => row.querySelector('[data-test=sla]')?.textContent?.includes('late') === true);
    expect(late, 'those that are late stand first').toEqual(late.toSorted((a, b) => Number(b) - Number(a)));
    await fireEvent.click(hook('period-7d'));
    await waitFor(() => expect(asked(platform, 'overview')).toHaveLength(2));
    expect(asked(platform, 'incident_page')).toHaveLength(1);
  });

  it('opens the calls behind what is said of interfaces', async () => {
    const platform = demoPlatform();
    show(platform);
    await waitFor(() => hook('overview'));
    const answer = platform.answers.overview;
    const [request] = asked<OverviewRequest>(platform, 'overview');
    if (answer === undefined || request === undefined) throw new Error('the demo has an overview');
    const { api, period: span } = await answer(request);
    expect([hook('api-calls').dataset['value'], hook('api-failures').dataset['value']]).toEqual([String(api.calls), String(api.failures)]);
    await fireEvent.click(hook('api-failures'));
    await waitFor(() => hook('event-row'));
    expect(asked<EventPageRequest>(platform, 'event_page').at(-1)).toMatchObject({ category: ['api_usage'], outcome: 'failure', entity: null, query: '-type:redis_health', period: span });
    await fireEvent.click(hook('top-endpoints').querySelector('[data-test=top-events]') ?? document.body);
    await waitFor(() => expect(asked<EventPageRequest>(platform, 'event_page').at(-1)).toMatchObject({ category: ['api_usage'], outcome: null, entity: api.endpoints[0]?.entity }));
    await fireEvent.click(hook('top-sources').querySelector('[data-test=top-events]') ?? document.body);
    await waitFor(() => expect(asked<EventPageRequest>(platform, 'event_page').at(-1)).toMatchObject({ category: [], entity: { kind: 'ip' } }));
  });

  it('says what failed and tries again', async () => {
    const platform = demoPlatform();
    const good = platform.answers.overview;
    platform.answers.overview = () => {
      const error: unknown = { code: 'unavailable', message: 'the database does not answer', hint: 'Is PostgreSQL running?' };
      throw error;
    };
    show(platform);
    await waitFor(() => hook('error-state'));
    expect(hook('error-state').textContent).toContain('Is PostgreSQL running?');
    if (good !== undefined) platform.answers.overview = good;
    await fireEvent.click(hook('retry'));
    await waitFor(() => hook('overview'));
  });

  it('does not say that nobody is dangerous before it knows', async () => {
    const platform = demoPlatform();
    platform.answers.entity_risk_top = ({ kind }) => {
      const failure: unknown = { code: 'unavailable', message: 'the database does not answer' };
      if (kind === 'ip') throw failure;
      return new Promise(() => undefined);
    };
    show(platform);
    await waitFor(() => hook('overview'));
    await waitFor(() => expect(hook('error-state').textContent).toContain('The database does not answer'));
    expect(document.querySelector('.risk [data-test=loading]'), 'the users are on their way').not.toBeNull();
    expect(hook('overview').textContent).not.toContain('Nothing has gained risk');
  });

  it('shows risk as it is rounded everywhere', async () => {
    const platform = demoPlatform();
    const answer = platform.answers.entity_risk_top;
    platform.answers.entity_risk_top = async (request) => {
      const page = await answer?.(request);
      if (page === undefined) throw new Error('the demo has risk');
      return { ...page, rows: page.rows.map((row) => ({ ...row, risk: { ...row.risk, score: 64.51823 } })) };
    };
    show(platform);
    await waitFor(() => hook('risk-row'));
    const score = hook('risk-row').querySelector('.score');
    expect(score?.textContent).toBe('64.5');
    expect(score?.getAttribute('title')).toBe('Risk 64.5 of 100');
  });

  it('offers demo data to an empty workspace', async () => {
    const platform = demoPlatform();
    const full = platform.answers.overview;
    platform.answers.overview = async (request) => {
      if (full === undefined) throw new Error('the demo has an overview');
      const data = await full(request);
      return { ...data, counts: [], incidents: [], kpis: data.kpis.map((kpi) => ({ ...kpi, value: 0 })) };
    };
    const status = platform.answers.workspace_status;
    platform.answers.workspace_status = async () => {
      if (status === undefined) throw new Error('the demo has a status');
      const made = await status({});
      return { ...made, offer_demo: true, connection: made.connection === null ? null : { ...made.connection, production: false } };
    };
    const app = show(platform);
    await app.live.look();
    await waitFor(() => hook('overview-demo'));
    await fireEvent.click(hook('overview-demo'));
    await waitFor(() => expect(asked(platform, 'simulate_run')).toHaveLength(1));
  });
});
