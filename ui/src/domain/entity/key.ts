// An entity as it stands in an address: `ip:203.0.113.7`.

import type { Entity, EntityKind } from '$ui/generated/model';

export const ENTITY_KINDS: readonly EntityKind[] = ['ip', 'user', 'session', 'endpoint'];

/** NUL stands in it as the database keeps it: one page of a name, wherever it was read. */
export function entityKey(entity: Entity): string {
  return `${entity.kind}:${entity.value.replaceAll('\0', '\u2400')}`;
}

/** `null` of what names none: an unknown kind, nothing after it. */
export function parseEntityKey(key: string | null | undefined): Entity | null {
  if (key === null || key === undefined) return null;
  const at = key.indexOf(':');
  const kind = ENTITY_KINDS.find((known) => known === key.slice(0, at));
  const value = key.slice(at + 1);
  return kind === undefined || value === '' ? null : { kind, value };
}

/** An entity by how it is written: an address or range, `kind:value`, a path, a name with `@`; `null` of an ordinary word. */
export function entityOf(text: string): Entity | null {
  if (/\s/.test(text)) return null;
  const keyed = parseEntityKey(text);
  if (keyed !== null) return keyed;
  const [address = '', prefix] = text.split('/', 2);
  const isAddress = /^(?:\d{1,3}\.){3}\d{1,3}$/.test(address) || (/^[\da-f:]{2,}$/i.test(address) && address.includes(':'));
  if (isAddress && (prefix === undefined || /^\d{1,3}$/.test(prefix))) return { kind: 'ip', value: text };
  if (text.startsWith('/')) return { kind: 'endpoint', value: text };
  return /^[^@]+@[^@]+$/.test(text) ? { kind: 'user', value: text } : null;
}
