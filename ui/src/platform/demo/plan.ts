// The maintenance plan of the demo.

import type { DatabaseCopies, JobPlanState, PlannedJob } from '$ui/generated/model';

const HOUR_MS = 3_600_000;

export function makePlan(empty: boolean): JobPlanState {
  const now = Date.now();
  const at = (hours: number): string => new Date(now + hours * HOUR_MS).toISOString();
  const job = (kind: PlannedJob['kind'], rhythm: PlannedJob['rhythm'], on: boolean): PlannedJob => ({ kind, rhythm, on: on && !empty });
  const jobs: PlannedJob[] = [
    job('cleanup', { every: 'day' }, true),
    job('aggregate', { every: 'day' }, true),
    job('optimize', { every: 'week', on: 'sunday' }, true),
    job('benchmark', { every: 'week', on: 'sunday' }, false),
    { ...job('backup', { every: 'month', on: 1 }, true), folder: '/var/backups/watchpost', keep: 12 },
    { ...job('database_backup', { every: 'day' }, false), generations: { daily: 7, weekly: 5, monthly: 12 } },
    { ...job('database_rehearsal', { every: 'month', on: 1 }, false), max_age_days: 7 },
  ];
  return {
    plan: { time_zone: 'Europe/Berlin', from: '02:00', to: '05:00', jobs },
    open: null,
    jobs: jobs.map((one) => ({
      kind: one.kind,
      next: one.on ? { from: at(11), to: at(14) } : null,
      missed_since: one.kind === 'optimize' && one.on ? at(-30) : null,
      last: null,
      ...(one.kind === 'backup' && one.on ? { not_started: { at: at(-2), why: '/var/backups/watchpost cannot be made: Permission denied', again: at(11) } } : {}),
    })),
  };
}

/** Nobody has asked for copies in the demo yet. */
export const COPIES: DatabaseCopies = { engine: 'PostgreSQL', folder: null, last: null, next: null, rehearsal: null, next_rehearsal: null, problem: null };
