// Asks for the drawer of events from anywhere; the shell draws it once. A drawer shows the rows behind a figure.

import type { Category, Entity, Outcome, Period, Severity } from '$ui/generated/model';

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
