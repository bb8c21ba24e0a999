import { describe, expect, it } from 'vitest';
import type { EntityRiskRow, Place } from '$ui/generated/model';
import { byCountry, eventsOf } from './by-country';

function row(value: string, score: number, place: Place | null): EntityRiskRow {
  return { risk: { entity: { kind: 'ip', value }, score, at: '2026-11-21T00:00:00Z', incidents: 1 }, place, threats: [] };
}

describe('sources by country', () => {
  it('loses none of them, and has the country with the most first', () => {
    const found = byCountry([row('a', 90, { country: 'NL' }), row('b', 80, { country: 'US' }), row('c', 70, null), row('d', 60, { country: 'US' }), row('e', 50, { org: 'Example Hosting' })]);
    expect(found.countries.map((one) => [one.country, one.score, one.rows.map(({ risk }) => risk.entity.value)])).toEqual([
      ['US', 80, ['b', 'd']],
      ['NL', 90, ['a']],
    ]);
    expect(found.nowhere, 'no place, or one without a country').toBe(2);
  });

  it('puts the circle between the places on the globe', () => {
    const [fiji] = byCountry([row('a', 1, { country: 'FJ', lat: -17, lon: 178 }), row('b', 1, { country: 'FJ', lat: -17, lon: -178 }), row('c', 1, { country: 'FJ' })]).countries;
    expect(Math.abs(fiji?.at?.lon ?? 0), 'on the other side of the date line, not in Africa').toBeCloseTo(180, 3);
    expect(fiji?.at?.lat).toBeCloseTo(-17, 1);
    expect(byCountry([row('a', 1, { country: 'FJ' })]).countries[0]?.at, 'nothing is known').toBeNull();
  });
});

describe('the search for their events', () => {
  it('asks for each of them', () => {
    expect(eventsOf([row('203.0.113.7', 2, null), row('2001:db8::1', 1, null)])).toEqual({ query: 'ip:203.0.113.7 or ip:2001:db8::1', n: 2 });
  });

  it('stays within what a query may be, the most dangerous first', () => {
    const many = (name: (index: number) => string): EntityRiskRow[] => Array.from({ length: 200 }, (_, index) => row(name(index), 200 - index, null));
    const short = eventsOf(many((index) => `10.0.0.${index}`));
    expect(short.n).toBe(60);
    expect(short.query.split(' or ')).toHaveLength(60);
    expect(short.query.startsWith('ip:10.0.0.0 or ip:10.0.0.1 ')).toBe(true);
    const long = eventsOf(many((index) => `2001:db8:0000:0000:0000:0000:0000:${String(index).padStart(4, '0')}`));
    expect(long.query.length).toBeLessThanOrEqual(2_000);
    expect(long.query.split(' or ')).toHaveLength(long.n);
    expect(long.n).toBeGreaterThan(30);
  });
});
