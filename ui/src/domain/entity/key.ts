// An entity as it stands in an address: `ip:203.0.113.7`.

import type { Entity, EntityKind } from '$ui/generated/model';

export const ENTITY_KINDS: readonly EntityKind[] = ['ip', 'user', 'session', 'endpoint'];

export function entityKey(entity: Entity): string {
  return `${entity.kind}:${entity.value}`;
}

/** `null` of what names none: an unknown kind, nothing after it. */
export function parseEntityKey(key: string | null | undefined): Entity | null {
  if (key === null || key === undefined) return null;
  const at = key.indexOf(':');
  const kind = ENTITY_KINDS.find((known) => known === key.slice(0, at));
  const value = key.slice(at + 1);
  return kind === undefined || value === '' ? null : { kind, value };
}
