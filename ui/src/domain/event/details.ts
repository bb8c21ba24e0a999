// What a source said besides, as names and values: people read no JSON.

import { countryName } from '$ui/domain/entity/place';
import { alertText } from '$ui/domain/redis/alert-text';
import type { Event } from '$ui/generated/model';
import { said, t } from '$ui/i18n';

/** A name of the query language: letters, digits, `_` and `-` in each part, none of them first a digit. */
const NAMED = /^(?:details(?:\.[A-Za-z_][\w-]{0,63})+|header\.[A-Za-z_][\w-]{0,63})$/;
/** Deeper than this a part is shown as JSON. */
const DEPTH_MAX = 4;
/** Lines at most; what an attacker made is not drawn without end. */
const LINES_MAX = 500;

/** Each value with the names that lead to it, `answer.bytes`; a lone value has no name. */
export function detailLines(details: unknown): [name: string, value: string][] {
  const lines: [string, string][] = [];
  const take = (name: string, value: unknown, depth: number): void => {
    if (value === null || value === undefined || lines.length >= LINES_MAX) return;
    if (typeof value === 'object' && !Array.isArray(value) && depth < DEPTH_MAX) {
      for (const [key, part] of Object.entries(value)) take(name === '' ? key : `${name}.${key}`, part, depth + 1);
    } else if (typeof value === 'object') lines.push([name, JSON.stringify(value)]);
    else lines.push([name, String(value)]);
  };
  take('', details, 0);
  return lines;
}

/** The same as people say it, where Watchpost knows what it means: the country of a code, and what an alert on Redis is about. */
export function detailWords(event: Pick<Event, 'type' | 'details'>): [name: string, value: string][] {
  return detailLines(event.details).map(([name, value]) => {
    if (name === 'country' && countryName(value) !== value) return [t('event.field.country'), `${countryName(value)} (${value})`];
    return event.type === 'redis_health' ? ofRedis(name, value) : [name, value];
  });
}

function ofRedis(name: string, value: string): [name: string, value: string] {
  switch (name) {
    case 'metric':
      return [t('event.detail.metric'), said('metric', value)];
    case 'verdict':
      return [t('event.detail.verdict'), said('health', value)];
    case 'server':
      return [t('event.detail.server'), value];
    case 'text':
      return [t('event.detail.text'), alertText(value)];
    default:
      return [name, value];
  }
}

/** Names of one field, and values of one name, that are offered at most. */
const SEEN_MAX = 200;
/** Nobody chooses a longer one from a list. */
const VALUE_MAX = 200;

/** The headers and details of events as fields of the query language, `details.order.id`, each with its values. */
export function fieldsOf(events: readonly Event[]): ReadonlyMap<string, readonly string[]> {
  const seen = new Map<string, Set<string>>();
  for (const event of events) {
    const headers = Object.entries(event.http?.headers ?? {}).map(([name, value]): [string, string] => [`header.${name}`, value]);
    const details = detailLines(event.details).map(([name, value]): [string, string] => [`details.${name}`, value]);
    for (const [name, value] of [...details, ...headers]) {
      const values = seen.get(name) ?? new Set();
      // What the language cannot name is not asked for.
      if (!NAMED.test(name) || (seen.size >= SEEN_MAX && !seen.has(name))) continue;
      if (values.size < SEEN_MAX && value.length <= VALUE_MAX) values.add(value);
      seen.set(name, values);
    }
  }
  return new Map([...seen].map(([name, values]) => [name, [...values]]));
}
