import { describe, expect, it } from 'vitest';
import { placeOf, stretches } from './axis-scale';

const HOUR = 3_600_000;

describe('the scale of the axis of an incident', () => {
  it('is even where things happened all the time', () => {
    const parts = stretches([0, HOUR, 2 * HOUR, 3 * HOUR, 4 * HOUR]);
    expect(parts).toEqual([{ from: 0, to: 4 * HOUR, left: 1, right: 99 }]);
    expect([0, HOUR, 4 * HOUR].map((at) => placeOf(parts, at))).toEqual([1, 25.5, 99]);
  });

  it('gives an attack of seconds room that was judged eight hours later', () => {
    const attack = [0, 2_000, 5_000, 10_000];
    const parts = stretches([...attack, 8 * HOUR, 8 * HOUR + 1_000]);
    expect(parts.map(({ from, to }) => [from, to])).toEqual([[0, 10_000], [8 * HOUR, 8 * HOUR + 1_000]]);
    expect(placeOf(parts, 10_000) - placeOf(parts, 0)).toBeGreaterThan(50);
    const order = [...attack, 8 * HOUR].map((at) => placeOf(parts, at));
    expect(order).toEqual([...order].sort((a, b) => a - b));
  });

  it('puts what was alone into the middle of its stretch', () => {
    const parts = stretches([0, 0, 1_000, 9 * HOUR]);
    const alone = parts.at(-1);
    expect(alone?.from).toBe(9 * HOUR);
    expect(placeOf(parts, 9 * HOUR)).toBe(((alone?.left ?? 0) + (alone?.right ?? 0)) / 2);
    expect(parts.at(-1)?.right).toBeCloseTo(99);
  });

  it('cuts nothing between two moments, and of one there is none', () => {
    expect(stretches([0, 9 * HOUR])).toHaveLength(1);
    expect(stretches([5, 5])).toEqual([]);
  });
});
