// Job runs of the made-up workspace.

import type { JobKind, JobReport, JobRun } from '$ui/generated/model';

const MINUTE = 60_000;

export const RETENTION_REPORT: JobReport = {
  figures: [
    { name: 'archived', title: 'Archived', value: 41_204, unit: 'count' },
    { name: 'removed', title: 'Removed from Redis', value: 41_190, unit: 'count' },
    { name: 'changed', title: 'Changed meanwhile, kept', value: 14, unit: 'count' },
    { name: 'bytes_freed', title: 'Memory returned', value: 188_400_000, unit: 'bytes' },
    { name: 'incident_evidence', title: 'Evidence, kept', value: 0, unit: 'count' },
  ],
  facts: [],
  notes: ['14 events changed since they were read and were left alone.', 'Policy: authentication 7 d, API usage 1 d, authorization, data access and configuration 30 d.'],
};

export const OPTIMIZE_REPORT: JobReport = {
  figures: [
    { name: 'compressed', title: 'Payloads to compress', value: 2_310, unit: 'count' },
    { name: 'ttl_missing', title: 'Keys without a TTL', value: 1_102, unit: 'count' },
    { name: 'index_stale', title: 'Index entries without a key', value: 8_044, unit: 'count' },
    { name: 'bytes', title: 'Memory to return', value: 62_000_000, unit: 'bytes' },
  ],
  facts: [],
  notes: ['Active defragmentation is not built into this server; fragmentation is left as it is.'],
};

export const REVERT_REPORT: JobReport = {
  figures: [
    { name: 'written_back', title: 'Payloads written back', value: 2_310, unit: 'count' },
    { name: 'payload_before_bytes', title: 'Their size before', value: 4_200_000, unit: 'bytes' },
    { name: 'payload_after_bytes', title: 'Their size after', value: 11_900_000, unit: 'bytes' },
    { name: 'widened', title: 'Events back in the encoding for large hashes', value: 0, unit: 'count' },
  ],
  facts: [],
  notes: ['expiries that were given and index entries that were removed stay as they are; the next optimisation compresses the payloads again'],
};

export const EXPORT_REPORT: JobReport = {
  figures: [
    { name: 'rows', title: 'Events to write', value: 41_204, unit: 'count' },
    { name: 'bytes', title: 'Their memory in Redis', value: 28_400_000, unit: 'bytes' },
  ],
  facts: [{ name: 'file', title: 'File', text: '/var/backups/watchpost-events.csv' }],
  notes: [],
};

export const BACKUP_REPORT: JobReport = {
  figures: [
    { name: 'keys', title: 'Keys to write', value: 41_209, unit: 'count' },
    { name: 'bytes', title: 'Their memory in Redis', value: 31_200_000, unit: 'bytes' },
  ],
  facts: [{ name: 'file', title: 'File', text: '/var/backups/redis.wpbackup' }],
  notes: [],
};

export const RESTORE_REPORT: JobReport = {
  figures: [
    { name: 'keys', title: 'Keys in the backup', value: 41_209, unit: 'count' },
    { name: 'written', title: 'Keys to write', value: 12, unit: 'count' },
    { name: 'same', title: 'There with the same value', value: 41_190, unit: 'count' },
    { name: 'kept', title: 'There with another value: kept', value: 7, unit: 'count' },
  ],
  facts: [
    { name: 'file', title: 'File', text: '/var/backups/redis.wpbackup' },
    { name: 'made', title: 'Backup made', text: '2026-11-20T02:10:00Z on 10.0.0.7:6379 (Redis 7.0.15)' },
    { name: 'origin', title: 'Origin', text: 'made here by mara' },
  ],
  notes: ['blocks and containments are put back by the engine from the database; indexes are made of the events'],
};

export const AGGREGATE_REPORT: JobReport = {
  figures: [
    { name: 'buckets', title: 'Five-minute counts', value: 8_640, unit: 'count' },
    { name: 'behind', title: 'Archived events that no count has', value: 0, unit: 'count' },
    { name: 'authentication', title: 'Events counted: authentication', value: 120_418, unit: 'count' },
    { name: 'api_usage', title: 'Events counted: api usage', value: 1_840_112, unit: 'count' },
  ],
  facts: [],
  notes: [],
};

export const BENCHMARK_REPORT: JobReport = {
  figures: [
    { name: 'ops', title: 'Operations', value: 80_200, unit: 'count' },
    { name: 'keys', title: 'Keys at a time', value: 10_000, unit: 'count' },
    { name: 'memory_bytes', title: 'Their memory, about', value: 3_600_000, unit: 'bytes' },
    { name: 'ttl_s', title: 'They expire after', value: 60, unit: 'seconds' },
  ],
  facts: [{ name: 'prefix', title: 'Keys begin with', text: 'security:wpbench:' }],
  notes: [],
};

function run(kind: JobKind, state: JobRun['state'], minutesAgo: number, seconds: number, parameters: string, report: JobReport | null, error: string | null = null): JobRun {
  const started = Date.now() - minutesAgo * MINUTE;
  return {
    id: crypto.randomUUID(),
    kind,
    state,
    parameters,
    started_by: kind === 'simulate' ? 'mara' : 'schedule',
    started_at: new Date(started).toISOString(),
    ended_at: new Date(started + seconds * 1_000).toISOString(),
    progress: { done: 41_204, total: 41_204, unit: 'keys', step: 'Done' },
    report,
    error,
  };
}

export function makeRuns(): JobRun[] {
  return [
    run('retention', 'done', 190, 48, 'policy days', RETENTION_REPORT),
    run('import', 'failed', 420, 3, 'auth.log, sshd', null, 'line 81,204: the file ended inside a record; what was read before it is kept'),
    run('optimize', 'cancelled', 900, 12, 'all patterns, compact up to 128 fields of 64 bytes', { figures: [{ name: 'compressed', title: 'Payloads compressed', value: 310, unit: 'count' }], facts: [], notes: ['Cancelled by mara; what was done stays done.'] }),
    run('retention', 'done', 1_630, 51, 'policy days', RETENTION_REPORT),
    run('simulate', 'done', 9_000, 74, '7 days, seed 7', { figures: [{ name: 'events', title: 'Events made', value: 21_480, unit: 'count' }, { name: 'attacks', title: 'Attacks inside', value: 9, unit: 'count' }], facts: [], notes: [] }),
  ];
}

export function started(kind: JobKind, parameters: string): JobRun {
  return { ...run(kind, 'running', 0, 0, parameters, null), ended_at: null, started_by: 'mara', progress: { done: 0, total: null, unit: 'events', step: 'Starting' } };
}
