// Redis health of the made-up workspace.

import type { HealthHistory, HealthHistoryRequest, HealthPolicyState, Metric, PatternCounts, QuarantineList, RedisHealth, Unit } from '$ui/generated/model';
import { Random } from './random';

function metric(name: string, title: string, unit: Unit, value: number | null, thresholds: readonly [number, number] | null, basis: string): Metric {
  const [warning, critical] = thresholds ?? [null, null];
  const verdict = value === null ? 'unknown' : critical !== null && value > critical ? 'critical' : warning !== null && value > warning ? 'warning' : 'ok';
  return { name, title, unit, value, warning, critical, verdict, basis };
}

export function makeHealth(): RedisHealth {
  const now = Date.now();
  const metrics = [
    metric('memory_used_ratio', 'Memory use', 'ratio', 0.742, [0.7, 0.85], 'used_memory 2.97 GiB of maxmemory 4.00 GiB, policy allkeys-lru: at the limit Redis evicts keys, security events among them'),
    metric('events_per_min', 'Event processing rate', 'per_minute', 412.5, [1_000, 5_000], 'counted by the engine over the last minute'),
    metric('backlog', 'Backlog', 'count', 1_240, [10_000, 50_000], 'lag of the consumer group 1,238, keys not adopted yet 2'),
    metric('command_latency_ms', 'Command latency', 'milliseconds', 0.84, [5, 20], 'usec of INFO commandstats between two samples 5 s apart, own commands left out'),
    metric('round_trip_ms', 'Round trip, median', 'milliseconds', 1.92, [5, 20], '31 own PINGs on a separate connection, slowest 7.10 ms'),
    metric('memory_used_bytes', 'Memory in use', 'bytes', 3_189_000_000, null, 'used_memory of INFO'),
    metric('fragmentation_ratio', 'Fragmentation', 'ratio', 1.08, null, 'allocator_frag_ratio; used_memory_rss / used_memory means little below 100 MiB'),
    metric('hit_ratio', 'Lookups that hit', 'ratio', 0.964, null, 'keyspace_hits and keyspace_misses between two samples'),
    metric('ops_per_s', 'Commands', 'per_second', 1_830.2, null, 'total_commands_processed between two samples'),
    metric('expired_per_s', 'Keys expired', 'per_second', 3.4, null, 'expired_keys between two samples'),
    metric('evicted_keys', 'Keys evicted', 'count', 0, null, 'since the sample before'),
    metric('clients_ratio', 'Clients', 'ratio', 0.031, null, 'connected_clients 31 of maxclients 1,000'),
    metric('replication_lag_s', 'Slowest replica behind', 'seconds', null, null, 'no replica is connected'),
    metric('memory_unlimited', 'No memory limit', 'count', 0, null, 'maxmemory is 4096 MiB'),
    metric('memory_peak_ratio', 'Peak of memory to now', 'ratio', 1.12, null, 'used_memory_peak / used_memory'),
    metric('clients_memory_bytes', 'Memory of clients', 'bytes', 412_000, null, 'mem_clients_normal, 13.0 KiB for each client, warning above 200 KiB'),
    metric('command_p50_ms', 'Command latency, p50', 'milliseconds', 0.008, null, 'LATENCY HISTOGRAM between two samples'),
    metric('command_p99_ms', 'Command latency, p99', 'milliseconds', 1.06, [10, 100], 'LATENCY HISTOGRAM between two samples'),
    metric('event_loop_ms', 'Event loop, mean', 'milliseconds', null, null, 'this server does not tell (Redis 7.2 and later do)'),
    metric('slow_commands_per_min', 'Slow commands', 'per_minute', 0.2, [1, 60], 'SLOWLOG GET: 1 entries in 300 s; 0 more of Watchpost itself, which are not judged'),
    metric('last_save_age_s', 'Since the last save', 'seconds', 1_860, [172_800, 604_800], '4,120 changes since; the server saves by "3600 1 300 100 60 10000"'),
    metric('acl_denied', 'Refused for want of a right', 'count', 0, [5, 50], 'errorstat_NOPERM; ACL LOG there names the users'),
    metric('blocks_missing', 'Blocks not in force', 'count', 0, [0, 0], 'all 7 that the database holds are in Redis and end there'),
    metric('fork_ms', 'Last fork', 'milliseconds', 21, null, 'latest_fork_usec'),
  ];
  return {
    at: new Date(now - 2_000).toISOString(),
    server: 'Redis 7.0.15',
    node: 'redis.example:6379',
    role: 'master',
    uptime_s: 1_982_400,
    verdict: 'warning',
    metrics,
    nodes: [],
    keys: 184_220,
    keys_with_ttl: 183_118,
    ttl_share: 183_118 / 184_220,
    slowlog: [
      { at: new Date(now - 64_000).toISOString(), duration_ms: 38.2, command: 'KEYS session:*', own: false },
      { at: new Date(now - 640_000).toISOString(), duration_ms: 22.7, command: 'SCAN 81920 MATCH security:* COUNT (value)', own: true },
      { at: new Date(now - 3_640_000).toISOString(), duration_ms: 14.1, command: 'HGETALL cart:1182034', own: false },
      { at: new Date(now - 9_640_000).toISOString(), duration_ms: 11.4, command: 'EVALSHA (sha) 2 security:stream security:index:authentication (10 values)', own: true },
    ],
  };
}

export function makeHistory({ period, points }: HealthHistoryRequest): HealthHistory {
  const random = new Random(11);
  const from = Math.max(new Date(period.from).getTime(), Date.now() - 30 * 86_400_000);
  const to = Math.min(new Date(period.to).getTime(), Date.now());
  const n = Math.min(points, 300);
  const samples = Array.from({ length: n }, (_, index) => {
    const at = from + ((to - from) * index) / n;
    const wave = Math.sin((index / n) * Math.PI * 3) * 0.5 + 0.5;
    const spike = index > n * 0.7 && index < n * 0.76 ? 6 : 1;
    return {
      at: new Date(at).toISOString(),
      memory_bytes: 2_400_000_000 + index * 2_400_000 + random.int(0, 20_000_000),
      ops_per_s: 900 + wave * 1_100 + random.int(0, 160),
      latency_ms: 0.7 + wave * 0.6 + (spike > 1 ? 4.5 : 0) + random.next() * 0.5,
      expired_per_s: 2 + wave * 3 + random.next(),
      events_per_min: (260 + wave * 220 + random.int(0, 60)) * spike,
      backlog: spike > 1 ? 4_000 + random.int(0, 9_000) : random.int(0, 40),
    };
  });
  // Sampling stopped for a while.
  return { samples: samples.filter((_, index) => index < n * 0.3 || index > n * 0.36) };
}

export function makeQuarantine(): QuarantineList {
  const now = Date.now();
  return {
    rows: [
      { key: 'security:auth:17637-x', reason: 'the part after the category is no time in milliseconds', at: new Date(now - 320_000).toISOString() },
      { key: 'security:api:/v1/orders:1763712000123', reason: 'the value is a string, not a hash', at: new Date(now - 7_200_000).toISOString() },
      { key: 'security:data:1763711111000\u202e\u0000', reason: 'field "severity": "urgent" is no severity', at: new Date(now - 86_400_000).toISOString() },
    ],
  };
}

export function makeLines(): HealthPolicyState {
  const limits = makeHealth().metrics.filter((metric) => metric.warning !== null && metric.critical !== null);
  return {
    policy: { limits: [], samples: 6, margin_percent: 5, average_after_h: 24, keep_days: 14 },
    limits: limits.map(({ name, title, unit, warning, critical }) => ({ metric: name, title, unit, warning, critical, default_warning: warning, default_critical: critical })),
  };
}

/** The keys by pattern, as one pass counts them. */
export function makePatterns(): PatternCounts {
  const row = (pattern: string, keys: number, bytes: number, without: number, encodings: string, unending: string[] = []): PatternCounts['patterns'][number] => ({
    pattern,
    keys,
    bytes,
    without_ttl: without,
    unending,
    types: `hash ${keys}`,
    encodings,
    oldest: null,
    newest: null,
  });
  return {
    node: '10.0.0.7:6379',
    patterns: [
      row('security:api:{endpoint}:{ms}', 31_204, 18_400_000, 0, 'listpack 29880, hashtable 1324'),
      row('security:auth:{ms}', 8_012, 5_100_000, 1_102, 'listpack 8012', ['security:auth:1763801000123', 'security:auth:1763801000977', 'security:auth:1763801001410']),
      row('security:index:*', 5, 4_300_000, 5, 'skiplist 5'),
      { ...row('(other keys)', 1, 0, 0, ''), bytes: null, without_ttl: null },
    ],
    asked: [],
    largest: [{ key: 'security:index:api_usage', bytes: 2_100_000 }],
    unending: [],
    notes: [],
  };
}
