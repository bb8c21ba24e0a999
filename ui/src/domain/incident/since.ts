// Is an incident new since a time?

import type { Incident } from '$ui/generated/model';

/** As the filter `opened` finds it: by when it was opened here. `from` in Unix milliseconds. */
export function isNewSince(incident: Pick<Incident, 'opened_at'>, from: number): boolean {
  return Date.parse(incident.opened_at) >= from;
}
