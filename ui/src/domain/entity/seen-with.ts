// Who and what stands beside an entity in events.

import type { Entity, EntityKind, Event } from '$ui/generated/model';

export interface SeenWith {
  entity: Entity;
  events: number;
}

/** Entities in the same events, most events first. */
export function seenWith(of: Entity, events: readonly Event[], most = 12): SeenWith[] {
  const counts = new Map<string, SeenWith>();
  const add = (kind: EntityKind, value: string | null | undefined, n: number): void => {
    if (value === null || value === undefined || value === '' || (kind === of.kind && value === of.value)) return;
    const key = `${kind}:${value}`;
    const known = counts.get(key);
    if (known === undefined) counts.set(key, { entity: { kind, value }, events: n });
    else known.events += n;
  };
  for (const event of events) {
    add('ip', event.source_ip, event.count);
    add('user', event.actor, event.count);
    add('session', event.session, event.count);
    add('endpoint', event.http?.path, event.count);
  }
  return [...counts.values()].sort((a, b) => b.events - a.events).slice(0, most);
}

/** User agents of the events, most events first. */
export function agents(events: readonly Event[], most = 8): { agent: string; events: number }[] {
  const counts = new Map<string, number>();
  for (const event of events) {
    const agent = event.http?.headers['user-agent'];
    if (agent !== undefined) counts.set(agent, (counts.get(agent) ?? 0) + event.count);
  }
  return [...counts].map(([agent, n]) => ({ agent, events: n })).sort((a, b) => b.events - a.events).slice(0, most);
}
