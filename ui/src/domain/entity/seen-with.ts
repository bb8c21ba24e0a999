// Who and what stands beside an entity in events, as the backend counted it.

import type { Entity, EntityKind, EventFigures } from '$ui/generated/model';

/** What is counted beside an entity. */
export const BESIDE = ['ip', 'user', 'session', 'endpoint', 'agent'] as const;

const KINDS: readonly EntityKind[] = ['ip', 'user', 'session', 'endpoint'];

export interface SeenWith {
  entity: Entity;
  events: number;
}

/** Entities in the same events, most events first, without itself. */
export function seenWith(of: Entity, figures: EventFigures, most = 12): SeenWith[] {
  return KINDS.flatMap((kind) => (figures.facets.find((facet) => facet.field === kind)?.values ?? []).map(({ value, n }): SeenWith => ({ entity: { kind, value }, events: n })))
    .filter(({ entity }) => entity.value !== '' && (entity.kind !== of.kind || entity.value !== of.value))
    .toSorted((a, b) => b.events - a.events)
    .slice(0, most);
}

/** User agents of the events, most events first. */
export function agents(figures: EventFigures, most = 8): { agent: string; events: number }[] {
  return (figures.facets.find((facet) => facet.field === 'agent')?.values ?? []).slice(0, most).map(({ value, n }) => ({ agent: value, events: n }));
}
