// Is an incident new since a time?

import type { Incident } from '$ui/generated/model';

/** As the Overview counts new ones: by the time of the first evidence. `from` in Unix milliseconds. */
export function isNewSince(incident: Pick<Incident, 'first_seen' | 'opened_at'>, from: number): boolean {
  return Math.min(Date.parse(incident.first_seen), Date.parse(incident.opened_at)) >= from;
}
