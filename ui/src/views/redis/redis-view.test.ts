import { fireEvent, render, waitFor } from '@testing-library/svelte';
import { tick } from 'svelte';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { HealthHistoryRequest, HealthSample } from '$ui/generated/model';
import { makeHealth } from '$ui/platform/demo/health';
import { demoPlatform } from '$ui/platform/demo/index';
import { stamp } from '$ui/shared/format/time';
import { App, appContext } from '$ui/state/app.svelte';
import { period } from '$ui/state/period.svelte';
import { prefs } from '$ui/state/prefs.svelte';
import { hook, requests } from '$ui/test-hook';
import RedisView from './redis-view.svelte';

function metric(name: string): HTMLElement {
  const found = document.querySelector<HTMLElement>(`[data-metric="${name}"]`);
  if (found === null) throw new Error(`no metric ${name}`);
  return found;
}

/** Without charts: there is no canvas here. */
function show(): App {
  const platform = demoPlatform();
  platform.answers.redis_history = () => ({ samples: [] });
  const app = new App(platform);
  render(RedisView, { context: appContext(app) });
  return app;
}

describe('Redis health', () => {
  it('leads with the verdict and what caused it', async () => {
    show();
    await waitFor(() => expect(hook('redis-verdict').dataset['verdict']).toBe('warning'));
    expect(hook('redis-verdict').textContent).toContain('Memory use 74.2%');
    expect(hook('redis-ttl-share').textContent).toBe('99.4%');
  });

  it('never shows an unknown value as a number', async () => {
    show();
    await waitFor(() => metric('replication_lag_s'));
    expect(metric('replication_lag_s').textContent).toContain('n/a');
    expect(metric('replication_lag_s').dataset['value']).toBe('n/a');
  });

  it('lists the primaries of a cluster with what each is over', async () => {
    const platform = demoPlatform();
    platform.answers.redis_history = () => ({ samples: [] });
    const health = makeHealth();
    const node = { server: health.server, slots: 8_192, own: true, verdict: health.verdict, metrics: health.metrics, problem: null };
    const silent = { ...node, node: '10.0.0.2:6379', own: false, verdict: 'critical' as const, metrics: [], problem: 'no server answers at 10.0.0.2:6379' };
    platform.answers.redis_health = () => ({ ...health, nodes: [{ ...node, node: '10.0.0.1:6379' }, silent] });
    render(RedisView, { context: appContext(new App(platform)) });
    await waitFor(() => expect(document.querySelectorAll('[data-test="redis-node-row"]')).toHaveLength(2));
    expect(document.querySelectorAll('[data-test="redis-node-row"]')[0]?.querySelectorAll('td.num'), 'figures stand below each other').toHaveLength(3);
    const [first, second] = [...document.querySelectorAll('[data-test="redis-node-row"]')].map((row) => row.textContent);
    expect(first).toMatch(/10\.0\.0\.1:6379.*holds the events.*8,192.*Memory use 74\.2%/);
    expect(second).toMatch(/n\/a.*n\/a.*no server answers/);
  });

  it('answers a question with a word', async () => {
    show();
    await waitFor(() => metric('memory_unlimited'));
    expect(metric('memory_unlimited').textContent).toMatch(/Memory limit\s*set\s*$/);
  });

  it('says what a value was computed from', async () => {
    show();
    await waitFor(() => metric('memory_used_ratio'));
    const button = metric('memory_used_ratio').querySelector('button');
    if (button === null) throw new Error('nothing to press');
    await fireEvent.click(button);
    expect(metric('memory_used_ratio').textContent).toContain('of maxmemory 4.00 GiB');
  });

  it('keeps the last sample and says so when Redis is down', async () => {
    const app = show();
    await waitFor(() => metric('memory_used_ratio'));
    const status = await app.read('workspace_status', {});
    app.live.status = { ...status, redis: { state: 'down', detail: 'connection refused', last_ok: null } };
    await waitFor(() => expect(hook('redis-verdict').dataset['verdict']).toBe('down'));
    expect(hook('redis-verdict').textContent).toContain('The reason: connection refused. Below stands the last sample');
    expect(metric('memory_used_ratio').textContent).toContain('74.2%');
    expect(hook('stale').textContent, 'never heard of is not 0 s ago').toContain('No answer since the start. Redis is unreachable.');
  });

  it('counts the keys by pattern when it is asked to, and has the newest count when it is shown again', async () => {
    const platform = demoPlatform();
    platform.answers.redis_history = () => ({ samples: [] });
    const app = new App(platform);
    const { unmount } = render(RedisView, { context: appContext(app) });
    await waitFor(() => hook('patterns-empty'));
    expect(requests(platform, 'redis_patterns'), 'a pass over all keys is nothing to begin by itself').toEqual([]);
    await fireEvent.click(hook('patterns-count'));
    await waitFor(() => expect(document.querySelectorAll('[data-test="pattern-row"]')).toHaveLength(4));
    expect(requests(platform, 'redis_patterns')).toEqual([{ patterns: [] }]);
    const rows = [...document.querySelectorAll('[data-test="pattern-row"]')].map((row) => row.textContent);
    expect(rows[0]).toMatch(/31,204.*17\.5 MiB.*100%.*listpack 29,880, hashtable 1,324/);
    expect(rows[1]).toMatch(/8,012.*86\.2%.*listpack.*security:auth:1763801000123.*and 1099 more/s);
    expect(rows[2], 'the product’s own keys are only counted').toMatch(/0%.*skiplist 5\s*5 of Watchpost itself/s);
    expect(rows[3], 'what is not known is no zero').toMatch(/n\/a\s*n\/a\s*n\/a/);
    expect(hook('patterns-largest').textContent).toMatch(/security:index:api_usage\s*2\.0 MiB/);
    unmount();
    render(RedisView, { context: appContext(app) });
    await waitFor(() => expect(document.querySelectorAll('[data-test="pattern-row"]')).toHaveLength(4));
    app.live.workspace += 1;
    await waitFor(() => hook('patterns-empty'));
    expect(requests(platform, 'redis_patterns'), 'of another workspace nothing is known').toHaveLength(1);
  });

  it('says why the keys could not be counted', async () => {
    const platform = demoPlatform();
    platform.answers.redis_history = () => ({ samples: [] });
    platform.answers.redis_patterns = () => {
      const error: unknown = { code: 'unavailable', message: 'Redis does not answer' };
      throw error;
    };
    render(RedisView, { context: appContext(new App(platform)) });
    await waitFor(() => hook('patterns-count'));
    await fireEvent.click(hook('patterns-count'));
    await waitFor(() => expect(hook('patterns-fault').textContent).toContain('Redis does not answer'));
    expect(hook<HTMLButtonElement>('patterns-count').disabled, 'it may be tried again').toBe(false);
  });

  it('makes hidden characters of a quarantined key visible', async () => {
    show();
    await waitFor(() => hook('quarantine-row'));
    expect(hook('quarantine').textContent).toContain('\\u{202e}\\x00');
  });

  it('has a tile for what gets over its line, and keeps it when that is over', async () => {
    const platform = demoPlatform();
    platform.answers.redis_history = () => ({ samples: [] });
    const health = makeHealth();
    const with_ = (value: number, verdict: 'ok' | 'critical') => ({ ...health, metrics: health.metrics.map((one) => (one.name === 'acl_denied' ? { ...one, value, verdict } : one)) });
    platform.answers.redis_health = () => with_(90, 'critical');
    const app = new App(platform);
    render(RedisView, { context: appContext(app) });
    const large = ['memory_used_ratio', 'events_per_min', 'backlog', 'command_latency_ms', 'round_trip_ms', 'acl_denied'];
    const tiles = (): (string | null)[] => [...(document.querySelector('[role=group][aria-label=Metrics]')?.children ?? [])].map((tile) => tile.getAttribute('data-metric'));
    await waitFor(() => expect(tiles()).toEqual(large));
    await waitFor(() => expect(hook('redis-verdict').textContent).toContain('Refused for want of a right 90, critical above 50; it becomes an alert after 6 samples in a row'));
    expect(metric('acl_denied').textContent, 'where its lines are').toContain('Warning above 5, critical above 50');
    platform.answers.redis_health = () => with_(0, 'ok');
    app.queries.invalidate(['health']);
    await waitFor(() => expect(metric('acl_denied').dataset['verdict']).toBe('ok'));
    expect(tiles()).toEqual(large);
  });

  it('says with the status bar that an alert stands, when it ends and where its incident is', async () => {
    const platform = demoPlatform();
    platform.answers.redis_history = () => ({ samples: [] });
    const health = makeHealth();
    platform.answers.redis_health = () => ({ ...health, verdict: 'ok', metrics: health.metrics.map((one) => ({ ...one, verdict: 'ok' as const })) });
    const incidents = await platform.call('incident_page', { filter: { status: [], severity: [], family: [], assignee: null, text: null, entity: null }, order: 'newest', after: null, limit: 1 });
    const rows = incidents.rows.map((row) => ({ ...row, number: 19, family: 'redis_health' as const, entity: { kind: 'endpoint' as const, value: 'Slow commands on redis.example:6379' } }));
    platform.answers.incident_page = () => ({ ...incidents, rows });
    const app = new App(platform);
    await app.live.look();
    const status = await app.read('workspace_status', {});
    const alert = { metric: 'slow_commands_per_min', title: 'Slow commands', server: 'redis.example:6379', verdict: 'warning' as const, since: '2026-11-22T12:00:00Z', raised_at: '2026-11-22T12:00:00Z', text: 'Slow commands 38.9/min' };
    app.live.status = { ...status, health_alerts: [alert] };
    render(RedisView, { context: appContext(app) });
    await waitFor(() => expect(hook('redis-over').textContent).toContain('Slow commands 0.2/min, back within its line of 1/min; its alert ends after 6 samples below 0.95/min'));
    expect(hook('redis-verdict').textContent).toContain('Redis is back within its lines');
    expect(hook('redis-verdict').dataset['verdict'], 'as the status bar has it').toBe('warning');
    await waitFor(() => expect(hook('redis-over-incident').getAttribute('href')).toBe('#/incidents/19'));
    expect(metric('slow_commands_per_min').tagName, 'among the tiles').toBe('SECTION');
  });

  it('shows the last stored sample when Redis has been down from the start', async () => {
    const platform = demoPlatform();
    const before = platform.answers.workspace_status;
    if (before === undefined) throw new Error('no status');
    const status = await before({});
    platform.answers.workspace_status = () => ({ ...status, redis: { state: 'down', detail: 'connection refused', last_ok: null } });
    platform.answers.redis_health = () => {
      const error: unknown = { code: 'unavailable', message: 'Redis does not answer' };
      throw error;
    };
    const at = new Date(Date.now() - 33_000).toISOString();
    platform.answers.redis_history = () => ({ samples: [{ at, memory_bytes: 50_000_000, ops_per_s: null, latency_ms: null, expired_per_s: null, events_per_min: 22, backlog: 0 }] });
    const app = new App(platform);
    await app.live.look();
    render(RedisView, { context: appContext(app) });
    await waitFor(() => expect(metric('memory_used_bytes').textContent).toContain('47.7 MiB'));
    expect(hook('redis-verdict').textContent).toContain('the last sample');
    expect(metric('ops_per_s').textContent).toContain('n/a');
    expect(metric('events_per_min').textContent).toContain('22/min');
  });

  it('shows what the console measured last when the page is loaded anew while Redis is down', async () => {
    const platform = demoPlatform();
    const { workspace_status, redis_health } = platform.answers;
    if (workspace_status === undefined || redis_health === undefined) throw new Error('the demo has both');
    const [status, before] = [await workspace_status({}), await redis_health({})];
    platform.answers.workspace_status = () => ({ ...status, redis: { state: 'down', detail: 'connection refused', last_ok: null } });
    platform.answers.redis_health = () => {
      const error: unknown = { code: 'unavailable', message: 'Redis does not answer' };
      throw error;
    };
    platform.answers.redis_history = () => ({ samples: [], last: before });
    const app = new App(platform);
    await app.live.look();
    render(RedisView, { context: appContext(app) });
    await waitFor(() => expect(metric('memory_used_ratio').textContent).toContain('74.2%'));
    expect(hook('redis-server').textContent).toBe(before.server);
    expect(hook('redis-verdict').textContent).toContain('Below stands the last sample');
  });

  it('shows what the console measured last when Redis goes down after the panel was read long ago', async () => {
    const platform = demoPlatform();
    const { workspace_status, redis_health } = platform.answers;
    if (workspace_status === undefined || redis_health === undefined) throw new Error('the demo has both');
    const [status, health] = [await workspace_status({}), await redis_health({})];
    const ago = (seconds: number): string => new Date(Date.now() - seconds * 1_000).toISOString();
    platform.answers.redis_health = () => ({ ...health, at: ago(360), server: 'Redis of before' });
    let isDown = false;
    const newest = ago(40);
    platform.answers.redis_history = () => ({ samples: [], ...(isDown ? { last: { ...health, at: newest, server: 'Redis of now' } } : {}) });
    const app = new App(platform);
    render(RedisView, { context: appContext(app) });
    await waitFor(() => expect(hook('redis-server').textContent).toBe('Redis of before'));
    isDown = true;
    app.live.status = { ...status, redis: { state: 'down', detail: 'connection refused', last_ok: newest } };
    await waitFor(() => expect(hook('redis-server').textContent, 'read anew without being asked').toBe('Redis of now'));
    expect(hook('redis-verdict').textContent).toContain(`Below stands the last sample, of ${stamp(newest, prefs.zone)}`);
  });

  it('says from when on there are samples when that is not the whole period', async () => {
    const platform = demoPlatform();
    const sample = (ago: number): HealthSample => ({ at: new Date(Date.now() - ago).toISOString(), memory_bytes: 1, ops_per_s: 1, latency_ms: 1, expired_per_s: 1, events_per_min: 1, backlog: 1 });
    let ago = 50_000;
    platform.answers.redis_history = () => ({ samples: [sample(ago), sample(0)] });
    const first = render(RedisView, { context: appContext(new App(platform)) });
    await waitFor(() => expect(hook('charts-since').textContent).toContain('what was before it is not known'));
    expect(hook('chart-latency').querySelector('h2')?.textContent, 'the name that the metric has').toBe('Round trip, median');
    first.unmount();
    ago = 86_300_000;
    render(RedisView, { context: appContext(new App(platform)) });
    await waitFor(() => hook('chart-latency'));
    expect(document.querySelector('[data-test=charts-since]')).toBeNull();
  });

  it('looks as far back as there are samples, until somebody chooses how far', async () => {
    period.preset = '24h';
    localStorage.removeItem('watchpost.period');
    onTestFinished(() => {
      period.preset = '24h';
      localStorage.removeItem('watchpost.period');
    });
    const platform = demoPlatform();
    const begun = Date.now() - 3_600_000;
    const sample = (at: number): HealthSample => ({ at: new Date(at).toISOString(), memory_bytes: 1, ops_per_s: 1, latency_ms: 1, expired_per_s: 1, events_per_min: 1, backlog: 1 });
    platform.answers.redis_history = () => ({ samples: [sample(begun), sample(Date.now())] });
    const asked = (): number[] => (requests(platform, 'redis_history') as HealthHistoryRequest[]).map((one) => (begun - new Date(one.period.from).getTime()) / 60_000);
    render(RedisView, { context: appContext(new App(platform)) });
    await waitFor(() => expect(asked()).toHaveLength(2));
    expect(asked()[0], 'what a new window begins with').toBeGreaterThan(22 * 60);
    expect(asked()[1], 'a step before the first one').toBeLessThan(10);
    expect(asked()[1]).toBeGreaterThan(0);
    expect(hook('charts-since').textContent, 'that is said').toContain('what was before it is not known');
    expect(hook('redis-part').textContent, 'beside the period that is lit, the time of the first sample').toBe(`Since ${stamp(begun, prefs.zone, 'minute').slice(11)}`);
    period.preset = '7d';
    await waitFor(() => expect(asked().at(-1)).toBeGreaterThan(6 * 24 * 60));
    await tick();
    expect(document.querySelector('[data-test=redis-part]')).toBeNull();
    expect(asked()).toHaveLength(3);
  });

  it('still shows the stored course when Redis has been down from the start', async () => {
    const platform = demoPlatform();
    const before = platform.answers.workspace_status;
    if (before === undefined) throw new Error('no status');
    const status = await before({});
    platform.answers.workspace_status = () => ({ ...status, redis: { state: 'down', detail: 'connection refused', last_ok: null } });
    platform.answers.redis_history = () => ({ samples: [] });
    platform.answers.redis_health = () => {
      const error: unknown = { code: 'unavailable', message: 'Redis does not answer' };
      throw error;
    };
    const app = new App(platform);
    await app.live.look();
    render(RedisView, { context: appContext(app) });
    await waitFor(() => hook('charts-empty'));
    expect(hook('redis-verdict').dataset['verdict']).toBe('down');
    expect(document.querySelector('[data-test=metric]')).toBeNull();
  });
});
