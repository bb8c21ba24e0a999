// Control states in reading order; the report itself is the generated `ReportDocument`.

import type { State } from '$ui/generated/model';

export const STATES = ['fail', 'warn', 'no_data', 'manual', 'pass'] as const satisfies readonly State[];
export type ControlState = State;

/** A state that a produced report names; anything unknown is treated as in need of attention. */
export function knownState(state: string): ControlState {
  return STATES.find((known) => known === state) ?? 'fail';
}
