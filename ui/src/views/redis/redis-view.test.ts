import { fireEvent, render, waitFor } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';
import { makeHealth } from '$ui/platform/demo/health';
import { demoPlatform } from '$ui/platform/demo/index';
import { App, appContext } from '$ui/state/app.svelte';
import { hook } from '$ui/test-hook';
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
    const [first, second] = [...document.querySelectorAll('[data-test="redis-node-row"]')].map((row) => row.textContent);
    expect(first).toMatch(/10\.0\.0\.1:6379.*holds the events.*8,192.*Memory use 74\.2%/);
    expect(second).toMatch(/n\/a.*n\/a.*no server answers/);
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
    expect(hook('redis-verdict').textContent).toContain('last sample');
    expect(metric('memory_used_ratio').textContent).toContain('74.2%');
  });

  it('makes hidden characters of a quarantined key visible', async () => {
    show();
    await waitFor(() => hook('quarantine-row'));
    expect(hook('quarantine').textContent).toContain('\\u{202e}\\x00');
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
