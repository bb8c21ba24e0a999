// The state of the made-up workspace.

import type { Connection, JobRun, WorkspaceStatus } from '$ui/generated/model';

export const CONNECTION: Connection = {
  id: '0190b3c4-0000-7000-8000-000000000001',
  name: 'shop-production',
  redis: { address: { kind: 'tcp', host: 'redis.shop.example', port: 6379, tls: { ca: null, cert: null, key: null } }, username: 'watchpost', database: 0, prefix: 'security:' },
  database: { kind: 'postgres', host: 'db.shop.example', port: 5432, database: 'watchpost', username: 'watchpost', tls: { ca: null, cert: null, key: null } },
  production: true,
  observe: false,
};

export function makeStatus(active: number): WorkspaceStatus {
  const now = new Date();
  return {
    version: '0.1.0',
    caller: { name: 'mara', role: 'admin', origin: 'window', host: 'console-3/mara' },
    identity: { kind: 'personal', login: 'mara', account: 'mara', detail: 'the login, as the server of the database says it' },
    connection: CONNECTION,
    redis: { state: 'connected', detail: 'Redis 7.0.15 at redis.shop.example:6379, TLS', last_ok: now.toISOString() },
    database: { state: 'connected', detail: 'PostgreSQL 15.8 at db.shop.example:5432', last_ok: now.toISOString() },
    engine: {
      state: 'behind',
      detail: 'Working through a backlog',
      processed_total: 812_400,
      duplicates_total: 12,
      events_per_min: 412.5,
      backlog: 1_240,
      quarantined_total: 3,
      evicted_total: 0,
      lost_total: 3,
      findings_total: 9_120,
      rules: 90,
      rule_problems: 0,
    },
    trail: { ok: true, detail: '4,812 records; it continues what this console has seen since 2026-03-02' },
    secrets: 'ready',
    newest_event: new Date(now.getTime() - 4_000).toISOString(),
    incidents_active: active,
    at: now.toISOString(),
    offer_demo: false,
  };
}

export const RUNNING_JOB: JobRun = {
  id: '0190b3c4-0000-7000-8000-0000000000aa',
  kind: 'retention',
  state: 'running',
  parameters: 'days 7',
  started_by: 'mara',
  started_at: new Date(Date.now() - 64_000).toISOString(),
  ended_at: null,
  progress: { done: 41_200, total: 96_000, unit: 'keys', step: 'Archiving authentication' },
  report: null,
  error: null,
};
