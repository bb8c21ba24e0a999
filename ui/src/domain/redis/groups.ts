// The small metrics of Redis by what they are about.

import type { Metric } from '$ui/generated/model';

export const GROUPS = ['memory', 'load', 'keys', 'persistence', 'replication', 'access'] as const;
export type Group = (typeof GROUPS)[number];

const GROUP_OF: Readonly<Record<string, Group>> = {
  memory_used_ratio: 'memory',
  memory_used_bytes: 'memory',
  memory_unlimited: 'memory',
  memory_purgeable_bytes: 'memory',
  memory_peak_ratio: 'memory',
  process_overhead_bytes: 'memory',
  clients_memory_bytes: 'memory',
  fragmentation_ratio: 'memory',
  swapped: 'memory',
  writes_refused: 'memory',
  evicted_keys: 'keys',
  expired_per_s: 'keys',
  expired_stale_ratio: 'keys',
  expiry_cut_per_s: 'keys',
  hit_ratio: 'keys',
  blocks_missing: 'keys',
  fork_ms: 'persistence',
  persistence_failures: 'persistence',
  last_save_age_s: 'persistence',
  aof_delayed_fsync: 'persistence',
  replication_lag_s: 'replication',
  replica_gap_bytes: 'replication',
  repl_backlog_cover_s: 'replication',
  cluster_slots_unserved: 'replication',
  cluster_slots_suspect: 'replication',
  cluster_slots_failed: 'replication',
  cluster_down: 'replication',
  cluster_skew_ratio: 'replication',
  sentinels_silent: 'replication',
  sentinel_no_quorum: 'replication',
  clients_ratio: 'access',
  rejected_connections: 'access',
  wrong_passwords: 'access',
  logins_refused: 'access',
  not_logged_in: 'access',
  acl_denied: 'access',
};

/** Metrics by group, in the order of the groups and in their own; those that nobody placed are about load. */
export function grouped(metrics: readonly Metric[]): { group: Group; metrics: Metric[] }[] {
  return GROUPS.map((group) => ({ group, metrics: metrics.filter((metric) => (GROUP_OF[metric.name] ?? 'load') === group) })).filter((part) => part.metrics.length > 0);
}
