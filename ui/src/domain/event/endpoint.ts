// What an event was about, as the backend knows it: its resource, else the path of its request.

import type { Entity, Event } from '$ui/generated/model';

/** The archive finds an endpoint by so many characters of it. */
const KEY_CHARS = 512;

export function endpointOf(event: Pick<Event, 'resource' | 'http'>): Entity | null {
  const value = event.resource ?? event.http?.path ?? '';
  return value === '' || value === '-' ? null : { kind: 'endpoint', value: [...value].slice(0, KEY_CHARS).join('') };
}
