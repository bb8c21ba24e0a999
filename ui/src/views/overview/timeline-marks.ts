// Where the marks of the incident timeline stand.

import type { Incident } from '$ui/generated/model';

/** Marks whose beginnings are closer than this cover each other, in pixels. */
const NEAR_PX = 20;

export interface Mark {
  /** In pixels from the beginning of the period. */
  left: number;
  right: number;
  /** Oldest first; never empty. */
  incidents: Incident[];
}

/** Marks of one lane, left to right; incidents that begin within 20 px of a mark's beginning join it. */
export function clusterMarks(incidents: readonly Incident[], from: number, to: number, width: number): Mark[] {
  const scale = width / Math.max(to - from, 1);
  const place = (at: string): number => Math.min(Math.max((new Date(at).getTime() - from) * scale, 0), width);
  const marks: Mark[] = [];
  const sorted = [...incidents].sort((a, b) => a.first_seen.localeCompare(b.first_seen));
  for (const incident of sorted) {
    const left = place(incident.first_seen);
    const right = Math.max(place(incident.last_seen), left);
    const last = marks.at(-1);
    if (last !== undefined && left - last.left < NEAR_PX) {
      last.incidents.push(incident);
      last.right = Math.max(last.right, right);
    } else {
      marks.push({ left, right, incidents: [incident] });
    }
  }
  return marks;
}
