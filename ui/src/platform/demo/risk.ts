// Who is dangerous in the made-up workspace.

import type { EntityKind, EntityRisk, EntityRiskPage, EntityRiskRow, Place } from '$ui/generated/model';

const HOUR = 3_600_000;

export function risk(kind: EntityKind, value: string, score: number): EntityRisk {
  return { entity: { kind, value }, score, at: new Date(Date.now() - HOUR).toISOString(), incidents: 2 };
}

/** Where addresses are, and how many of them. */
const PLACES: readonly (readonly [Place, number])[] = [
  [{ country: 'NL', city: 'Amsterdam', lat: 52.37, lon: 4.89 }, 9],
  [{ country: 'US', city: 'Ashburn', lat: 39.04, lon: -77.49 }, 14],
  [{ country: 'CN', city: 'Shenzhen', lat: 22.54, lon: 114.06 }, 11],
  [{ country: 'DE', city: 'Falkenstein', lat: 50.48, lon: 12.37 }, 6],
  [{ country: 'FR', city: 'Roubaix', lat: 50.69, lon: 3.18 }, 4],
  [{ country: 'BR', city: 'São Paulo', lat: -23.55, lon: -46.63 }, 4],
  [{ country: 'IN' }, 3],
  [{ country: 'SG', city: 'Singapore', lat: 1.35, lon: 103.82 }, 3],
  [{ country: 'AU', city: 'Sydney', lat: -33.87, lon: 151.21 }, 2],
  [{ country: 'ZA' }, 1],
  [{ country: 'VN', city: 'Hanoi', lat: 21.03, lon: 105.85 }, 5],
  [{ org: 'Example Hosting' }, 3],
];

function sources(): EntityRiskRow[] {
  const rows = PLACES.flatMap(([place, n], group) =>
    Array.from({ length: n }, (_, index): EntityRiskRow => {
      const first = group === 0 && index === 0;
      const value = first ? '203.0.113.7' : `198.51.${100 + group}.${index * 7 + 11}`;
      const threats = first ? [{ list: 'feodo', confidence: 80, kind: 'ip' as const, entry: value, field: 'source_ip' as const }] : [];
      return { risk: risk('ip', value, first ? 87.7 : Math.round(800 / (1 + index + group * 0.4)) / 10), place, threats };
    }),
  );
  return rows.sort((a, b) => b.risk.score - a.risk.score);
}

export function riskTop(kind: EntityKind, limit: number, empty: boolean): EntityRiskPage {
  const rows = kind === 'ip' ? sources() : kind === 'user' ? [{ risk: risk('user', '<img src=x onerror=alert(1)>\u202e', 12.5), place: null, threats: [] }] : [];
  return { rows: empty ? [] : rows.slice(0, limit), has_location_data: true, policy: { half_life_h: 24 }, at: new Date().toISOString() };
}
