import { describe, expect, it, vi } from 'vitest';
import type { AuditVerification, Connection, Incident, JobRun, Role, WorkspaceStatus } from '$ui/generated/model';
import { FakePlatform } from '$ui/platform/fake';
import { makeStatus } from '$ui/platform/demo/workspace';
import { App } from './app.svelte';

function statusWith(part: { production?: boolean; role?: Role }): WorkspaceStatus {
  const status = makeStatus(0);
  const connection: Connection | null = status.connection === null ? null : { ...status.connection, name: 'shop', production: part.production ?? false };
  return { ...status, connection, caller: { ...status.caller, role: part.role ?? 'admin' } };
}

async function appWith(part: { production?: boolean; role?: Role }): Promise<{ app: App; platform: FakePlatform }> {
  const platform = new FakePlatform({
    workspace_status: () => statusWith(part),
    job_list: () => ({ runs: [] }),
    incident_take: () => ({ number: 4 }) as Incident,
  });
  const app = new App(platform);
  await app.live.look();
  platform.calls.length = 0;
  return { app, platform };
}

describe('App.change', () => {
  it('asks before a change in production and sends what was typed', async () => {
    const { app, platform } = await appWith({ production: true });
    const change = app.change('incident_take', { number: 4 }, { what: 'Take #4' });
    expect(app.confirmations.question).toEqual({ what: 'Take #4', connection: 'shop', measured: null });
    expect(platform.calls, 'nothing is sent before the answer').toHaveLength(0);
    app.confirmations.answer(true);
    await expect(change).resolves.toEqual({ number: 4 });
    expect(platform.calls).toEqual([{ name: 'incident_take', request: { number: 4 }, confirmation: 'shop' }]);
  });

  it('says beside the question what share of the keys a job touches, before it is sent', async () => {
    const { app, platform } = await appWith({ production: true });
    const change = app.change('retention_run', { days: null, restart: false }, { what: 'Retention' });
    await vi.waitFor(() => expect(app.confirmations.question?.measured).toContain('15,683 of 1,204,000 keys'));
    expect(platform.calls).toHaveLength(0);
    app.confirmations.answer(false);
    await expect(change).resolves.toBeNull();
    for (const begin of [
      () => app.change('restore_run', { path: '/b', rehearse_only: false, replace: true }, { what: 'Restore' }),
      () => app.change('benchmark_run', { ops: 100, value_bytes: 1, pipeline: 2 }, { what: 'Benchmark' }),
    ]) {
      const other = begin();
      await vi.waitFor(() => expect(app.confirmations.question?.measured, 'as of every job that writes').toContain('15,683'));
      app.confirmations.answer(false);
      await expect(other).resolves.toBeNull();
    }
    expect(platform.calls).toHaveLength(0);
  });

  it('asks nothing for what only checks or tries', async () => {
    const { app, platform } = await appWith({ production: true });
    platform.answers.audit_verify = () => ({}) as AuditVerification;
    platform.answers.restore_run = () => ({ id: 'a' }) as JobRun;
    await app.change('audit_verify', { full: true }, { what: 'Verify' });
    await app.change('restore_run', { path: '/b', rehearse_only: true, replace: false }, { what: 'Rehearse' });
    expect(app.confirmations.question).toBeNull();
    const sent = platform.calls.filter(({ name }) => name === 'audit_verify' || name === 'restore_run');
    expect(sent.map(({ name, confirmation }) => [name, confirmation])).toEqual([
      ['audit_verify', undefined],
      ['restore_run', undefined],
    ]);
  });

  it('sends nothing when the person declines', async () => {
    const { app, platform } = await appWith({ production: true });
    const change = app.change('incident_take', { number: 4 }, { what: 'Take #4' });
    app.confirmations.answer(false);
    await expect(change).resolves.toBeNull();
    expect(platform.calls).toHaveLength(0);
  });

  it('shows what attackers wrote into names for what it is, in the question and after', async () => {
    const { app } = await appWith({ production: true });
    const change = app.change('incident_take', { number: 4 }, { what: 'Restrict user \u202enimda', done: '\u202enimda is restricted' });
    expect(app.confirmations.question?.what).toBe('Restrict user \\u{202e}nimda');
    app.confirmations.answer(true);
    await change;
    expect(app.toasts.shown.map((toast) => toast.text)).toEqual(['\\u{202e}nimda is restricted']);
  });

  it('does not ask elsewhere', async () => {
    const { app, platform } = await appWith({ production: false });
    await app.change('incident_take', { number: 4 }, { what: 'Take #4', done: 'taken' });
    expect(app.confirmations.question).toBeNull();
    expect(platform.calls).toEqual([{ name: 'incident_take', request: { number: 4 } }]);
    expect(app.toasts.shown.map((toast) => toast.text)).toEqual(['taken']);
  });

  it('tells of a failure, or throws it when the caller shows it', async () => {
    const { app, platform } = await appWith({});
    platform.answers.incident_take = () => {
      const error: unknown = { code: 'conflict', message: 'taken by Teo' };
      throw error;
    };
    await expect(app.change('incident_take', { number: 4 }, { what: '' })).resolves.toBeNull();
    expect(app.toasts.shown[0]).toMatchObject({ kind: 'failed', text: 'taken by Teo' });
    await expect(app.change('incident_take', { number: 4 }, { what: '', quiet: true })).rejects.toMatchObject({ code: 'conflict' });
  });
});

describe('App.copy', () => {
  it('says that it is copied, or why it is not', async () => {
    const { app, platform } = await appWith({});
    await app.copy('203.0.113.7');
    expect(platform.copied).toEqual(['203.0.113.7']);
    platform.copy = () => Promise.reject(new Error('the clipboard is not allowed'));
    await app.copy('203.0.113.8');
    expect(app.toasts.shown.map((toast) => [toast.kind, toast.text])).toEqual([
      ['done', 'Copied'],
      ['failed', 'the clipboard is not allowed'],
    ]);
  });
});

describe('App.may', () => {
  it.each([
    ['viewer', 'incident_take', false],
    ['analyst', 'incident_take', true],
    ['analyst', 'retention_run', false],
    ['auditor', 'audit_page', true],
    ['auditor', 'block_add', false],
    ['admin', 'settings_put', true],
  ] as const)('%s and %s', async (role, operation, expected) => {
    const { app } = await appWith({ role });
    expect(app.may(operation)).toBe(expected);
  });
});

describe('Live', () => {
  it('refreshes what a batch calls stale, and everything after a gap', async () => {
    const { app, platform } = await appWith({});
    const invalidate = vi.spyOn(app.queries, 'invalidate');
    const stop = app.live.start();
    platform.push({ changed: ['incidents'], status: statusWith({}), jobs: [] });
    expect(invalidate).toHaveBeenLastCalledWith(['incidents']);
    platform.push({ changed: [], status: statusWith({}), jobs: [] });
    expect(invalidate).toHaveBeenCalledTimes(1);
    // A batch that was lost on the way: the next one skips a number.
    stop();
    platform.push({ changed: [], status: statusWith({}), jobs: [] });
    const again = app.live.start();
    platform.push({ changed: [], status: statusWith({}), jobs: [] });
    expect(invalidate.mock.lastCall?.[0]).toContain('audit');
    again();
  });

  it('asks once for what it shows of another workspace', async () => {
    const { app, platform } = await appWith({});
    const [invalidate, reset] = [vi.spyOn(app.queries, 'invalidate'), vi.spyOn(app.queries, 'reset')];
    const stop = app.live.start();
    const here = statusWith({});
    const other = { ...here, connection: here.connection === null ? null : { ...here.connection, id: 'another' } };
    platform.push({ changed: ['status', 'events', 'incidents'], status: other, jobs: [] });
    expect(reset).toHaveBeenCalledOnce();
    expect(invalidate, 'all of it is being asked for by now').not.toHaveBeenCalled();
    platform.push({ changed: ['events'], status: other, jobs: [] });
    expect(invalidate).toHaveBeenLastCalledWith(['events']);
    stop();
  });

  it('forgets the answers of the workspace before', async () => {
    const { app, platform } = await appWith({});
    const reset = vi.spyOn(app.queries, 'reset');
    const other = statusWith({});
    platform.answers.workspace_status = () => ({ ...other, connection: other.connection === null ? null : { ...other.connection, id: 'another' } });
    await app.live.look();
    expect(reset).toHaveBeenCalledOnce();
  });
});
