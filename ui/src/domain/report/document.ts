// Control states in reading order; the report itself is the generated `ReportDocument`.

import type { State } from '$ui/generated/model';

export const STATES = ['fail', 'warn', 'no_data', 'manual', 'pass'] as const satisfies readonly State[];
export type ControlState = State;

/** A state that a produced report names; anything unknown is treated as in need of attention. */
export function knownState(state: string): ControlState {
  return STATES.find((known) => known === state) ?? 'fail';
}

/** A path beside one that exists: `soc2.pdf` becomes `soc2-20261121-091042.pdf`. A report whose hash is in the trail is not written over. */
export function anotherPath(path: string, now: Date): string {
  const at = now.toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
  const dot = path.lastIndexOf('.');
  return dot > path.lastIndexOf('/') + 1 ? `${path.slice(0, dot)}-${at}${path.slice(dot)}` : `${path}-${at}`;
}
