import { describe, expect, it } from 'vitest';
import type { Incident } from '$ui/generated/model';
import { clusterMarks } from './timeline-marks';

function at(minutes: number, length = 1): Incident {
  return { id: String(minutes), first_seen: new Date(minutes * 60_000).toISOString(), last_seen: new Date((minutes + length) * 60_000).toISOString() } as Incident;
}

describe('clusterMarks', () => {
  it('joins what would cover each other and loses nothing', () => {
    // One pixel a minute.
    const marks = clusterMarks([at(100), at(10), at(15), at(31)], 0, 1_000 * 60_000, 1_000);
    expect(marks.map((mark) => [mark.left, mark.incidents.length])).toEqual([
      [10, 2],
      [31, 1],
      [100, 1],
    ]);
  });

  it('keeps inside the period what began before or ends after it', () => {
    const [mark] = clusterMarks([at(-50, 5_000)], 0, 1_000 * 60_000, 1_000);
    expect(mark).toMatchObject({ left: 0, right: 1_000 });
  });
});
