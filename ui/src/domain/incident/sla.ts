// The clock of an incident that runs now.

import type { Incident } from '$ui/generated/model';
import { isActive } from './tones';

export interface Clock {
  what: 'acknowledge' | 'resolve';
  due: string;
  /** Seconds left; negative when late. */
  left: number;
  /** Share of the time that is used, 0 to 1. */
  used: number;
  state: 'running' | 'soon' | 'late';
  /** Paused: `left` is as it was when the pause began. */
  stands: boolean;
}

/** The running clock: acknowledge until somebody acts, then resolve; `null` when it is resolved. */
export function runningClock(incident: Incident, now: number): Clock | null {
  // One that is merged is worked on, and timed, through its target.
  if (!isActive(incident.status) || incident.merged_into !== undefined) return null;
  const what = incident.acknowledged_at === null ? 'acknowledge' : 'resolve';
  const due = what === 'acknowledge' ? incident.acknowledge_due : incident.resolve_due;
  const end = new Date(due).getTime();
  const begin = new Date(incident.opened_at).getTime();
  const stands = incident.paused !== undefined;
  const at = incident.paused === undefined ? now : Math.min(now, new Date(incident.paused.since).getTime());
  const left = Math.floor((end - at) / 1_000);
  const used = end <= begin ? 1 : Math.min(Math.max((at - begin) / (end - begin), 0), 1);
  return { what, due, left, used, state: left < 0 ? 'late' : used > 0.75 ? 'soon' : 'running', stands };
}
