// Sources with risk by the country that they are in.

import type { EntityRiskRow } from '$ui/generated/model';
import { term } from '$ui/domain/event/query';

export interface CountryRisk {
  /** Two letters, or whatever a location file says instead. */
  country: string;
  /** The most dangerous first; never empty. */
  rows: EntityRiskRow[];
  /** The highest risk of one of them. */
  score: number;
  /** In the middle of the places of those whose place is known; `null` of none. Degrees. */
  at: { lon: number; lat: number } | null;
}

export interface ByCountry {
  /** The one with the most sources first, then the one with the highest risk. */
  countries: CountryRisk[];
  /** Sources in no country that is known. */
  nowhere: number;
}

/** `rows` come with the most dangerous first. */
export function byCountry(rows: readonly EntityRiskRow[]): ByCountry {
  const groups = new Map<string, EntityRiskRow[]>();
  let nowhere = 0;
  for (const row of rows) {
    const country = row.place?.country;
    if (country === undefined) nowhere += 1;
    else groups.set(country, [...(groups.get(country) ?? []), row]);
  }
  const countries = [...groups].map(([country, inside]): CountryRisk => ({ country, rows: inside, score: Math.max(...inside.map((row) => row.risk.score)), at: between(inside) }));
  countries.sort((a, b) => b.rows.length - a.rows.length || b.score - a.score || a.country.localeCompare(b.country));
  return { countries, nowhere };
}

/** The middle of places on a globe: that of Fiji and Samoa is between them, not in Africa. */
function between(rows: readonly EntityRiskRow[]): CountryRisk['at'] {
  const rad = Math.PI / 180;
  let [x, y, z] = [0, 0, 0];
  for (const { place } of rows) {
    if (place?.lat === undefined || place.lon === undefined) continue;
    x += Math.cos(place.lat * rad) * Math.cos(place.lon * rad);
    y += Math.cos(place.lat * rad) * Math.sin(place.lon * rad);
    z += Math.sin(place.lat * rad);
  }
  const length = Math.hypot(x, y, z);
  // Of none, or of places at opposite ends of the world.
  return length < 1e-6 ? null : { lon: Math.atan2(y, x) / rad, lat: Math.asin(z / length) / rad };
}

/** Of one query: the language takes 64 conditions and 2,048 characters. */
const SOURCES_MAX = 60;
const LENGTH_MAX = 2_000;

/** The search for the events of the sources, the most dangerous ones where they are too many, and of how many it is. */
export function eventsOf(rows: readonly EntityRiskRow[]): { query: string; n: number } {
  let query = '';
  let n = 0;
  for (const { risk } of rows.slice(0, SOURCES_MAX)) {
    const next = n === 0 ? term('ip', risk.entity.value) : `${query} or ${term('ip', risk.entity.value)}`;
    if (next.length > LENGTH_MAX) break;
    query = next;
    n += 1;
  }
  return { query, n };
}
