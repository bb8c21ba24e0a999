import { render, waitFor } from '@testing-library/svelte';
import { afterEach, describe, expect, it } from 'vitest';
import type { WorkspaceStatus } from '$ui/generated/model';
import { demoPlatform } from '$ui/platform/demo/index';
import { RUNNING_JOB } from '$ui/platform/demo/workspace';
import { App, appContext } from '$ui/state/app.svelte';
import { clock } from '$ui/state/clock.svelte';
import { hook } from '$ui/test-hook';
import StatusBar from './status-bar.svelte';

/** The bar of a workspace as `part` changes it. */
async function show(part: (status: WorkspaceStatus) => Partial<WorkspaceStatus> = () => ({}), jobs = false): Promise<App> {
  const platform = demoPlatform();
  const answer = platform.answers.workspace_status;
  platform.answers.workspace_status = async () => {
    const made = await answer?.({});
    if (made === undefined) throw new Error('the demo has a status');
    return { ...made, ...part(made) };
  };
  platform.answers.job_list = () => ({ runs: jobs ? [RUNNING_JOB] : [] });
  const app = new App(platform);
  await app.live.look();
  clock.now = Date.now();
  render(StatusBar, { context: appContext(app) });
  await waitFor(() => hook('status-bar'));
  return app;
}

const text = (name: string): string => hook(name).textContent?.replace(/\s+/g, ' ').trim() ?? '';
const there = (name: string): boolean => document.querySelector(`[data-test=${name}]`) !== null;

// Other tests of this worker live in the present.
afterEach(() => {
  clock.now = Date.now();
});

describe('the status bar', () => {
  it('names the workspace, and says that it is production', async () => {
    await show();
    expect(text('production-mark')).toBe('Production');
    expect(text('status-workspace')).toBe('shop-production');
    expect([text('status-redis'), text('status-database')]).toEqual(['Redis connected', 'PostgreSQL connected']);
    expect(text('status-user')).toBe('mara (Admin)');
    expect(there('status-trail'), 'nothing to say').toBe(false);
  });

  it('knows no role while no database is open', async () => {
    await show(() => ({ trail: null, database: null }));
    expect(text('status-user')).toBe('mara (role not known)');
  });

  it('says nothing of thresholds of a Redis that is down', async () => {
    const alert = { metric: 'backlog', title: 'Backlog', server: 'redis.example:6379', verdict: 'critical' as const, since: '2026-11-22T12:00:00Z', raised_at: '2026-11-22T12:00:00Z', text: 'Backlog 60,000' };
    const app = await show(() => ({ health_alerts: [alert] }));
    expect(text('status-health')).toBe('Redis: 1 alert');
    const status = await app.read('workspace_status', {});
    app.live.status = { ...status, redis: { state: 'down', detail: 'connection refused', last_ok: null } };
    await waitFor(() => expect(text('status-redis')).toBe('Redis down'));
    expect(there('status-health')).toBe(false);
  });

  it('says how far behind the engine is, and what was lost', async () => {
    await show((status) => ({ engine: { ...status.engine, state: 'behind', backlog: 1_240, quarantined_total: 3, evicted_total: 1, lost_total: 4 } }));
    expect(text('status-engine')).toBe('Engine behind by 1,240');
    expect(text('status-losses')).toBe('3 quarantined 1 dropped');
    expect([hook('status-losses').getAttribute('href'), hook('status-redis').getAttribute('href')]).toEqual(['#/redis', '#/redis']);
  });

  it('does not make a number of what is not known', async () => {
    await show((status) => ({ engine: { ...status.engine, state: 'behind', backlog: null, quarantined_total: 0, evicted_total: 0, lost_total: 0 } }));
    expect(text('status-engine')).toBe('Engine behind');
    expect(text('status-losses')).toBe('Nothing dropped');
  });

  it('is as old as what a part that is down last said', async () => {
    await show(() => ({ redis: { state: 'down', detail: 'refused', last_ok: new Date(Date.now() - 32_000).toISOString() } }));
    expect(text('status-age')).toMatch(/^As of 3[23] s ago$/);
    expect(hook('status-age').title).toContain('Redis');
  });

  it('says what is down, that the trail does not hold, and that secrets are locked', async () => {
    await show((status) => ({ redis: { state: 'down', detail: 'refused', last_ok: null }, engine: { ...status.engine, state: 'down' }, trail: { ok: false, detail: 'record 7 is not the one that was seen' }, secrets: 'locked' }));
    expect([text('status-redis'), text('status-engine')]).toEqual(['Redis down', 'Engine down']);
    expect(hook('status-trail').getAttribute('href')).toBe('#/audit');
    expect(hook('status-trail').title).toContain('record 7');
    expect(text('status-trail')).toBe('Audit trail does not hold');
    expect(there('status-secrets')).toBe(true);
  });

  it('says of a place that was altered that it is the place', async () => {
    const altered = '/share/newest.checkpoint is not signed as a checkpoint of this log is';
    await show(() => ({ trail: { ok: false, detail: `the log itself holds: 12 records. ${altered}`, altered } }));
    expect(text('status-trail')).toBe('A place of checkpoints was altered');
    expect(hook('status-trail').title).toContain('the log itself holds');
  });

  it('leads to the connections when none is open', async () => {
    await show(() => ({ connection: null }));
    expect([text('status-workspace'), hook('status-workspace').getAttribute('href')]).toEqual(['No connection open', '#/settings']);
    expect(there('status-redis')).toBe(false);
  });

  it('says which one is on its way, and that nothing is amiss meanwhile', async () => {
    const app = await show(() => ({ connection: null, opening: 'shop-production' }));
    expect(text('status-opening')).toBe('Opening shop-production …');
    expect(there('status-workspace')).toBe(false);
    expect(app.live.error).toBeNull();
    expect(text('status-age')).toBe('Updated now');
  });

  it('asks for no jobs where no workspace is', async () => {
    const platform = demoPlatform(new URLSearchParams('closed'));
    platform.answers.job_list = () => Promise.reject(Object.assign(new Error(), { code: 'precondition', message: 'no connection is open' }));
    const app = new App(platform);
    await app.live.look();
    expect([app.live.error, app.live.jobs]).toEqual([null, []]);
  });

  it('follows a job', async () => {
    await show(undefined, true);
    expect(text('status-job')).toContain('42.9%');
    expect(hook('status-job').title).toBe('Archiving authentication');
  });

  it('grows older, and says when nobody answers', async () => {
    const app = await show();
    expect(text('status-age')).toBe('Updated now');
    clock.now = (app.live.heardAt ?? 0) + 8_000;
    await waitFor(() => expect(text('status-age')).toBe('Updated 8 s ago'));
    clock.now = (app.live.heardAt ?? 0) + 75_000;
    await waitFor(() => expect(text('status-age')).toBe('No answer for 1 min'));
  });
});
