// Searching events in the demo: figures of the rows that there are, and a backend that knows one mistake.

import type { Event, EventFacet } from '$ui/generated/model';
import type { Answers } from '../fake';

const FIELDS = ['at', 'category', 'type', 'severity', 'outcome', 'ip', 'user', 'session', 'endpoint', 'status', 'method', 'path', 'agent'];
const VALUES: Record<string, string[]> = { severity: ['info', 'low', 'medium', 'high', 'critical'], outcome: ['success', 'failure', 'unknown'] };

function facet(field: string, rows: readonly Event[], of: (row: Event) => string | null): EventFacet {
  const counts = new Map<string, number>();
  for (const row of rows) {
    const value = of(row);
    if (value !== null) counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  const values = [...counts].map(([value, n]) => ({ value, n })).toSorted((a, b) => b.n - a.n);
  return { field, values: values.slice(0, 10) };
}

export function searchAnswers(rows: () => Event[], now: number): Answers {
  return {
    event_query: ({ query }) => {
      const at = query.indexOf('statsu');
      const fault = at < 0 ? null : { at, length: 6, message: 'there is no field "statsu"', problem: { kind: 'no_field' as const, text: 'statsu' }, expected: [], suggestion: 'status' };
      return { canonical: fault === null ? query : '', fault, fields: FIELDS.map((name) => ({ name, about: name, values: VALUES[name] ?? [], ordered: ['at', 'severity', 'status'].includes(name) })) };
    },
    event_figures: ({ period, buckets, facets: chosen }) => {
      const all = rows();
      const shown = period ?? { from: new Date(now - 86_400_000).toISOString(), to: new Date(now).toISOString() };
      const start = new Date(shown.from).getTime();
      const width = Math.max(1_000, (new Date(shown.to).getTime() - start) / buckets);
      const series = ['info', 'low', 'medium', 'high', 'critical'].map((name) => {
        const counts = Array.from({ length: buckets }, () => 0);
        for (const row of all.filter((one) => one.severity === name)) {
          const bar = Math.floor((new Date(row.at).getTime() - start) / width);
          if (counts[bar] !== undefined) counts[bar] += 1;
        }
        return { name, counts, total: counts.reduce((a, b) => a + b, 0) };
      });
      return {
        period: shown,
        total: all.length,
        histogram: { start: shown.from, bucket_s: Math.round(width / 1_000), series },
        facets: [
          facet('severity', all, (row) => row.severity),
          facet('category', all, (row) => row.category),
          facet('outcome', all, (row) => row.outcome),
          facet('type', all, (row) => row.type),
          facet('ip', all, (row) => row.source_ip),
          facet('user', all, (row) => row.actor),
          facet('endpoint', all, (row) => row.resource ?? row.http?.path ?? null),
          ...(chosen?.includes('session') === true ? [facet('session', all, (row) => row.session)] : []),
          ...(chosen?.includes('agent') === true ? [facet('agent', all, (row) => row.http?.headers['user-agent'] ?? null)] : []),
          ...(chosen?.includes('path') === true ? [facet('path', all, (row) => row.http?.path ?? null)] : []),
        ],
        facet_rows: all.length,
        facets_complete: true,
      };
    },
    event_export: ({ path }) => ({ path, rows: rows().length, bytes: 4_096, sha256: '0'.repeat(64), complete: true }),
  };
}
