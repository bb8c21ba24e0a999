// Asks for the drawer of events from anywhere; the shell draws it once. A drawer shows the rows behind a figure.

import type { Category, Entity, Outcome, Period, Severity } from '$ui/generated/model';
import { entityTerm, term } from './query';

export interface EventsRequest {
  /** What the rows are: `Failed logins`. */
  title: string;
  period: Period | null;
  category?: Category[];
  severity?: Severity[];
  outcome?: Outcome;
  entity?: Entity;
  /** In the query language. */
  query?: string;
}

/** Of the API usage what is a call: what Watchpost itself says of Redis is none. */
export const CALLS = '-type:redis_health';

/** The same in the query language alone: for the Events panel. */
export function asQuery(request: EventsRequest): string {
  const any = (field: string, values: readonly string[] = []): string[] => (values.length === 0 ? [] : [values.length === 1 ? `${field}:${values.join('')}` : `${field}:(${values.join(' ')})`]);
  const parts = [
    ...any('category', request.category),
    ...any('severity', request.severity),
    ...(request.outcome === undefined ? [] : [term('outcome', request.outcome)]),
    ...(request.entity === undefined ? [] : [entityTerm(request.entity)]),
  ];
  const query = request.query?.trim() ?? '';
  if (query === '') return parts.join(' ');
  // What holds an `or` is about all of it.
  return parts.length === 0 ? query : `(${query}) ${parts.join(' ')}`;
}

class Pending {
  request = $state.raw<EventsRequest | null>(null);
}

export const pendingEvents = new Pending();

export function openEvents(request: EventsRequest): void {
  pendingEvents.request = request;
}

export function closeEvents(): void {
  pendingEvents.request = null;
}
