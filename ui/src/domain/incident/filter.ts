// Which incidents the queue shows, as it stands in the address.

import { entityKey, parseEntityKey } from '$ui/domain/entity/key';
import type { AttackFamily, IncidentFilter, IncidentOrder, Period, Severity, Status } from '$ui/generated/model';

export const STATUSES: readonly Status[] = ['open', 'reopened', 'investigating', 'contained', 'resolved', 'closed'];
export const ACTIVE: readonly Status[] = ['open', 'investigating', 'contained', 'reopened'];
export const SEVERITIES: readonly Severity[] = ['critical', 'high', 'medium', 'low', 'info'];
export const RISING: readonly Severity[] = SEVERITIES.toReversed();
export const FAMILIES: readonly AttackFamily[] = [
  'brute_force',
  'sqli',
  'nosqli',
  'xss',
  'traversal',
  'rfi',
  'cmdi',
  'ssti',
  'php',
  'java',
  'deserialization',
  'xxe',
  'ldap',
  'ssrf',
  'jwt',
  'csrf',
  'header_injection',
  'redirect',
  'upload',
  'data_leak',
  'excessive_requests',
  'scanner',
  'account_takeover',
  'privilege_escalation',
  'data_exfiltration',
  'log_gap',
  'threat_listed',
  'kill_chain',
  'custom',
  'redis_health',
];
export const ORDERS: readonly IncidentOrder[] = ['urgency', 'newest', 'severity', 'due'];
/** What nobody has to ask for: who looks at the queue wants to know what to do first. */
const DEFAULT_ORDER: IncidentOrder = 'urgency';

type Query = Readonly<Record<string, string>>;

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** A time that ends now, wherever now is: how long it is, and in which steps it moves, so that its question stays the same for a while. */
const AGO = {
  '1h': { length: HOUR, step: MINUTE },
  '24h': { length: 24 * HOUR, step: 5 * MINUTE },
  '7d': { length: 7 * 24 * HOUR, step: 15 * MINUTE },
  '30d': { length: 30 * 24 * HOUR, step: 15 * MINUTE },
} as const;
export type Ago = keyof typeof AGO;
export const AGOS = ['1h', '24h', '7d', '30d'] as const satisfies readonly Ago[];

/** What the queue shows, as people say it: a time that moves stays one, also in a saved view. */
export interface QueueFilter extends Omit<IncidentFilter, Timed> {
  opened?: Period | Ago;
  changed?: Period | Ago;
  began?: Period | Ago;
}

/** What of an incident a time can be about. */
export const TIMED = ['opened', 'changed', 'began'] as const;
export type Timed = (typeof TIMED)[number];

function words<T extends string>(text: string | undefined, known: readonly T[]): T[] {
  if (text === undefined) return [];
  const given = text.split(',');
  return known.filter((word) => given.includes(word));
}

/** The end of a period that goes on: what happens while somebody looks is in it. */
const NO_END = '2999-01-01T00:00:00.000Z';

export function since(from: number): Period {
  return { from: new Date(from).toISOString(), to: NO_END };
}

export function hasEnd(period: Period): boolean {
  return period.to !== NO_END;
}

/** `from..to`, both as times with a zone, or `from..` without an end; what is none is left out. */
export function parsePeriod(text: string | undefined): Period | undefined {
  const [from, to, more] = text?.split('..') ?? [];
  if (from === undefined || to === undefined || more !== undefined) return undefined;
  const [begin, end] = [Date.parse(from), Date.parse(to === '' ? NO_END : to)];
  // Also false where one of them is no time.
  return begin < end ? { from: new Date(begin).toISOString(), to: new Date(end).toISOString() } : undefined;
}

export function formatPeriod(period: Period | Ago): string {
  if (typeof period === 'string') return period;
  return `${period.from}..${hasEnd(period) ? period.to : ''}`;
}

/** An instant as it is asked for: to the microsecond, so nothing is taken off it. */
export function parseInstant(text: string | undefined): string | undefined {
  return text !== undefined && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/.test(text) && !Number.isNaN(Date.parse(text)) ? text : undefined;
}

function parseTime(text: string | undefined): Period | Ago | undefined {
  return AGOS.find((known) => known === text) ?? parsePeriod(text);
}

/** What is asked for at a moment, Unix milliseconds; without a time that moves the moment is not looked at. */
export function requested({ opened, changed, began, ...others }: QueueFilter, now: () => number): IncidentFilter {
  const at = (time: Period | Ago): Period => {
    if (typeof time !== 'string') return time;
    const { length, step } = AGO[time];
    return since(Math.floor(now() / step) * step - length);
  };
  return { ...others, ...(opened === undefined ? {} : { opened: at(opened) }), ...(changed === undefined ? {} : { changed: at(changed) }), ...(began === undefined ? {} : { began: at(began) }) };
}

/** Nothing said about the status means the active ones; `status=all` means any. */
export function parseFilter(query: Query): QueueFilter {
  const [opened, changed, began] = [parseTime(query['opened']), parseTime(query['changed']), parseTime(query['began'])];
  const acknowledged = query['acknowledged'];
  const activeAt = parseInstant(query['active_at']);
  return {
    // An entity is looked at in full: its closed incidents are its history.
    status: query['status'] === undefined && query['entity'] === undefined ? [...ACTIVE] : words(query['status'], STATUSES),
    severity: words(query['severity'], SEVERITIES),
    family: words(query['family'], FAMILIES),
    assignee: query['assignee'] ?? null,
    text: query['text'] === undefined || query['text'].trim() === '' ? null : query['text'].trim(),
    entity: parseEntityKey(query['entity']),
    ...(opened === undefined ? {} : { opened }),
    ...(changed === undefined ? {} : { changed }),
    ...(began === undefined ? {} : { began }),
    ...(acknowledged === 'yes' || acknowledged === 'no' ? { acknowledged: acknowledged === 'yes' } : {}),
    ...(activeAt === undefined ? {} : { active_at: activeAt }),
  };
}

export function parseOrder(query: Query): IncidentOrder {
  return ORDERS.find((known) => known === query['order']) ?? DEFAULT_ORDER;
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((word) => b.includes(word));
}

/** The address of a filter and order; what is the default is left out. */
export function formatFilter(filter: QueueFilter, order: IncidentOrder = DEFAULT_ORDER): Record<string, string> {
  const query: Record<string, string> = {};
  const plain = filter.entity === null ? ACTIVE : [];
  if (!same(filter.status, plain)) query['status'] = filter.status.length === 0 ? 'all' : filter.status.join(',');
  if (filter.severity.length > 0) query['severity'] = filter.severity.join(',');
  if (filter.family.length > 0) query['family'] = filter.family.join(',');
  if (filter.assignee !== null) query['assignee'] = filter.assignee;
  if (filter.text !== null) query['text'] = filter.text;
  if (filter.entity !== null) query['entity'] = entityKey(filter.entity);
  if (filter.opened !== undefined) query['opened'] = formatPeriod(filter.opened);
  if (filter.changed !== undefined) query['changed'] = formatPeriod(filter.changed);
  if (filter.began !== undefined) query['began'] = formatPeriod(filter.began);
  if (filter.acknowledged !== undefined) query['acknowledged'] = filter.acknowledged ? 'yes' : 'no';
  if (filter.active_at !== undefined) query['active_at'] = filter.active_at;
  if (order !== DEFAULT_ORDER) query['order'] = order;
  return query;
}

/** Without one of its conditions. */
export function without<K extends Timed | 'acknowledged' | 'active_at'>(filter: QueueFilter, what: K): QueueFilter {
  const { [what]: _gone, ...others } = filter;
  return others as QueueFilter;
}

/** With `word` taken in if it was out, and the other way round. */
export function toggled<T extends string>(list: readonly T[], word: T): T[] {
  return list.includes(word) ? list.filter((other) => other !== word) : [...list, word];
}
