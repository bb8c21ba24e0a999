// An Overview of the made-up shop.

import type { Category, CategoryCount, Histogram, Incident, Kpi, Overview, OverviewRequest, Severity, TopEntity } from '$ui/generated/model';
import { Random } from './random';

const CATEGORIES: readonly [Category, number][] = [
  ['authentication', 46],
  ['authorization', 14],
  ['data_access', 22],
  ['configuration', 3],
  ['api_usage', 120],
];

/** Shares of the events. */
const COUNTRIES: readonly [string | null, number][] = [
  ['DE', 0.38],
  ['US', 0.17],
  ['NL', 0.09],
  [null, 0.08],
  ['BR', 0.06],
  ['SG', 0.04],
  ['NZ', 0.01],
];

const SEVERITIES: readonly [Severity, number][] = [
  ['info', 170],
  ['low', 28],
  ['medium', 12],
  ['high', 5],
  ['critical', 0.6],
];

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}

/** It had begun and was not resolved. */
export function wasActive(incident: Incident, at: string): boolean {
  return (incident.first_seen <= at || incident.opened_at <= at) && (incident.resolved_at === null || incident.resolved_at > at);
}

export function makeOverview(request: OverviewRequest, incidents: readonly Incident[], blocked: ReadonlySet<string>, heldAt: (at: string) => number, now: number): Overview {
  const period = request.period ?? { from: new Date(now - 40 * 86_400_000).toISOString(), to: new Date(now).toISOString() };
  const from = new Date(period.from).getTime();
  const to = new Date(period.to).getTime();
  const buckets = request.buckets;
  const width = Math.max(1, Math.round((to - from) / 1_000 / buckets));
  const random = new Random(5);
  const shape = Array.from({ length: buckets }, (_, index) => {
    const at = new Date(from + index * width * 1_000);
    const day = 0.35 + 0.65 * Math.max(0, Math.sin(((at.getUTCHours() - 5) / 24) * 2 * Math.PI - 0.4));
    const burst = index > buckets * 0.71 && index < buckets * 0.76 ? 2.4 : 1;
    return day * burst * (0.8 + random.next() * 0.4);
  });
  const scale = (width / 1_800) * 0.9;
  const histogram = (names: readonly (readonly [string, number])[]): Histogram => ({
    start: new Date(from).toISOString(),
    bucket_s: width,
    series: names.map(([name, weight]) => {
      const drawnCounts = shape.map((factor) => Math.round(factor * weight * scale * (0.7 + random.next() * 0.6)));
      return { name, counts: drawnCounts, total: sum(drawnCounts) };
    }),
  });
  const byCategory = histogram(CATEGORIES);
  const drawn = sum(byCategory.series.map((series) => series.total ?? 0));
  const counts = CATEGORIES.flatMap(([category, weight]) => SEVERITIES.map(([severity, share]): CategoryCount => ({ category, severity, events: Math.round((drawn * weight * share) / 205 / 215) })));
  const total = sum(counts.map((row) => row.events));
  const inside = incidents.filter((incident) => new Date(incident.last_seen).getTime() >= from).toReversed();
  const begun = incidents.filter((incident) => Date.parse(incident.first_seen) >= from && incident.first_seen < period.to).length;
  const active = incidents.filter((incident) => incident.status !== 'resolved' && incident.status !== 'closed');
  const countedAt = to > now ? new Date(now).toISOString() : period.to;
  const worst = active.filter((incident) => incident.severity === 'critical');
  const kpi = (name: string, title: string, value: number | null, previous: number | null, unit: Kpi['unit'] = 'count'): Kpi => ({
    name,
    title,
    value,
    previous,
    change: value === null || previous === null || previous === 0 ? null : { by: Math.round((value / previous - 1) * 1_000) / 10, unit: 'percent' },
    unit,
    series: shape.filter((_, index) => index % 2 === 0).map((factor) => Math.round(factor * 100 * (0.7 + random.next() * 0.6))),
  });
  const top = (names: readonly [TopEntity['entity']['kind'], string][]): TopEntity[] =>
    names.map(([kind, value], index) => {
      const events = Math.round((total / 9) * Math.pow(0.62, index) + 14);
      return { entity: { kind, value }, events, failures: Math.round(events * (index % 3 === 0 ? 0.82 : 0.12)), incidents: index % 3 === 0 ? 2 : index % 2, blocked: blocked.has(value) };
    });
  const calls = histogram([
    ['success', 100],
    ['failure', 18],
    ['unknown', 0.4],
  ]);
  const [called, refused] = [sum(calls.series.map((series) => series.total ?? 0)), calls.series[1]?.total ?? 0];
  return {
    period,
    counted_at: countedAt,
    threat: 'severe',
    threat_reason: `${worst.length} critical incidents are active, the oldest is #${worst.at(-1)?.number ?? '-'}`,
    threat_severity: 'critical',
    threat_incidents: worst.length,
    threat_oldest: worst.at(-1)?.number ?? null,
    kpis: [
      kpi('events', 'Events', total, Math.round(total * 0.86)),
      kpi('auth_failures', 'Failed logins', Math.round(total * 0.08), Math.round(total * 0.031)),
      kpi('incidents_opened', 'Incidents opened', begun, 31),
      kpi('incidents_active', 'Active incidents', incidents.filter((incident) => wasActive(incident, countedAt)).length, 12),
      kpi('blocks_active', 'Active blocks', heldAt(countedAt), 4),
      kpi('mtta_s', 'Median time to acknowledge', 742, 1_180, 'seconds'),
    ],
    authentication: histogram([
      ['success', 40],
      ['failure', 11],
      ['unknown', 0.4],
    ]),
    api: {
      calls: called,
      change: { by: 8.4, unit: 'percent' },
      failures: refused,
      failure_ratio: called === 0 ? null : Math.round((refused / called) * 1_000) / 1_000,
      over_time: calls,
      endpoints: top([
        ['endpoint', '/shop/item'],
        ['endpoint', '/api/v2/cart'],
        ['endpoint', '/api/v2/login'],
        ['endpoint', '/api/v2/orders'],
        ['endpoint', '/health'],
      ]),
    },
    by_category: byCategory,
    by_severity: histogram(SEVERITIES),
    counts,
    by_country: COUNTRIES.map(([country, share]) => ({ country, events: Math.round(total * share), failures: Math.round(total * share * 0.2), sources: Math.max(1, Math.round(share * 90)) })),
    has_location_data: true,
    incidents: inside.slice(-200),
    top_sources: top([
      ['ip', '203.0.113.77'],
      ['ip', '45.155.205.12'],
      ['ip', '198.51.100.4'],
      ['ip', '2001:db8:4f2::9b1'],
      ['ip', '185.220.101.34'],
      ['ip', '91.92.243.8'],
      ['ip', '192.0.2.200'],
      ['ip', '203.0.113.9'],
    ]),
    top_targets: top([
      ['endpoint', '/api/v2/login'],
      ['user', 'root'],
      ['endpoint', '/shop/item'],
      ['endpoint', '/cgi-bin/.%2e/.%2e/.%2e/etc/passwd'],
      ['user', 'svc-backup\u202egpj.exe'],
      ['endpoint', '/wp-login.php'],
      ['user', 'mara'],
    ]),
  };
}
