// Text of the query language, as the window writes it. What a query means is the backend's business.

import type { Entity, EntityKind, QueryFault } from '$ui/generated/model';

const FIELD_OF: Record<EntityKind, string> = { ip: 'ip', user: 'user', session: 'session', endpoint: 'endpoint' };

/** A value so that it means itself: in quotes where it must be. */
export function quote(value: string): string {
  return /^[^\s()"*\\<>:-][^\s()"*\\]*$/.test(value) && !/^(?:and|or|not)$/i.test(value) ? value : `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/** One condition: `user:anna`. */
export function term(field: string, value: string): string {
  return `${field}:${quote(value)}`;
}

/** Does it name a range of addresses? */
export function isRange(entity: Entity): boolean {
  return entity.kind === 'ip' && /^[\da-f.:]+\/\d+$/i.test(entity.value);
}

export function entityTerm(entity: Entity): string {
  return term(FIELD_OF[entity.kind], entity.value);
}

/** The query with one more condition, or with it taken away; what said the opposite goes. */
export function narrowed(query: string, condition: string, out: boolean): string {
  const plain = query.trim();
  const wanted = out ? `-${condition}` : condition;
  const parts = conditions(plain);
  // A query with `or` in it is put in brackets: the new condition is about all of it.
  if (parts === null) return `(${plain}) ${wanted}`;
  const opposite = out ? condition : `-${condition}`;
  return [...parts.filter((part) => part !== opposite && part !== wanted), wanted].join(' ');
}

/** The conditions of a query that holds all of them; `null` where `or`, `not` or brackets make it more than that. */
function conditions(query: string): string[] | null {
  const parts = query.match(/(?:"(?:\\.|[^"\\])*"|[^\s"])+/g) ?? [];
  return parts.some((part) => /^(?:or|and|not)$/i.test(part) || /^-?[\w.@]*:?\(|\)$/.test(part)) ? null : parts;
}

/** What stood in links before there was a query language. */
export function fromParams(params: Readonly<Record<string, string>>): string | null {
  const parts: string[] = [];
  const entity = params['entity'];
  const colon = entity?.indexOf(':') ?? -1;
  const kind = entity?.slice(0, colon);
  if (entity !== undefined && kind !== undefined && kind in FIELD_OF) parts.push(term(kind, entity.slice(colon + 1)));
  if (params['category'] !== undefined) parts.push(term('category', params['category']));
  if (params['severity'] !== undefined) parts.push(`severity:>=${params['severity']}`);
  if (params['outcome'] !== undefined) parts.push(term('outcome', params['outcome']));
  for (const word of params['text']?.split(/\s+/) ?? []) if (word !== '') parts.push(quote(word));
  return parts.length === 0 ? null : parts.join(' ');
}

export interface Token {
  /** Where what is completed begins and ends, in UTF-16 units; with its quotation mark. */
  from: number;
  to: number;
  /** Where the condition begins and ends that it belongs to: at its field, and behind the bracket of several values. */
  start: number;
  end: number;
  /** The field before the colon, when a value is being typed: also one of several in brackets. */
  field: string | null;
  /** What has been typed of it, of a value without the quotation mark that it begins with. */
  typed: string;
}

/** What is being typed at the caret. */
export function tokenAt(text: string, caret: number): Token {
  const before = text.slice(0, caret);
  const begin = (/(?:^|[\s(])-?((?:[^\s"()]|"[^"]*"?)*)$/.exec(before)?.[1] ?? '').length;
  const word = before.slice(caret - begin);
  const colon = /^([\w.@-]+):(?:>=|<=|>|<)?(.*)$/.exec(word);
  const several = colon === null ? /(?:^|[\s(])-?(([\w.@-]+):\((?:[^()"]|"[^"]*"?)*)$/.exec(before) : null;
  const field = (colon?.[1] ?? several?.[2])?.toLowerCase() ?? null;
  const raw = colon?.[2] ?? word;
  const open = field === null ? null : /^"([^"]*)$/.exec(raw);
  const after = text.slice(caret);
  const rest = (open === null ? /^[^\s()"]*/ : /^[^\s()"]*"?/).exec(after)?.[0].length ?? 0;
  const all = several === null ? rest : (/^(?:[^()"]|"[^"]*"?)*\)?/.exec(after)?.[0].length ?? 0);
  return { from: caret - raw.length, to: caret + rest, start: caret - (several?.[1] ?? word).length, end: caret + all, field, typed: open?.[1] ?? raw };
}

/** The beginning of a value as a pattern: what would mean something else means itself. */
export function beginning(typed: string): string {
  return `${typed.replace(/[\s()"*\\]/g, '\\$&')}*`;
}

/** Is what is wrong only what somebody is writing: the caret is at the end, and the fault in the last word, or something is missing there? */
export function unfinished(text: string, caret: number, fault: Pick<QueryFault, 'at' | 'length'>): boolean {
  if (text.slice(caret).trim() !== '') return false;
  const begin = text.length - text.trimStart().length;
  // A fault counts characters of the trimmed text, a caret UTF-16 units of what stands in the box.
  const at = Array.from(text.trim()).slice(0, fault.at).join('').length + begin;
  const word = tokenAt(text, caret);
  return fault.length === 0 || at >= word.start || /^-?(?:[\w.@-]+:)?(?:"[^"]*|\([^)]*)$/.test(text.slice(at));
}
