import { describe, expect, it } from 'vitest';
import { spread, type Circle } from './spread';

function overlap(circles: readonly Circle[]): number {
  return Math.max(...circles.flatMap((a, index) => circles.slice(index + 1).map((b) => (a.size + b.size) / 2 - Math.hypot(a.x - b.x, a.y - b.y))));
}

describe('circles', () => {
  it('stay where they are when none covers another', () => {
    const apart = [{ x: 0, y: 0, size: 20 }, { x: 100, y: 0, size: 20 }];
    expect(spread(apart)).toEqual(apart);
  });

  it('are moved apart, the smaller one further', () => {
    const [large, small] = spread([{ x: 0, y: 0, size: 40 }, { x: 10, y: 0, size: 20 }]);
    expect(overlap([large, small] as Circle[])).toBeLessThanOrEqual(0);
    expect(Math.abs(large?.x ?? 99)).toBeLessThan(Math.abs((small?.x ?? 0) - 10));
  });

  it('on one spot find room as well', () => {
    const crowd = Array.from({ length: 12 }, (_, index) => ({ x: 5, y: 5, size: 22, index }));
    const moved = spread(crowd);
    expect(overlap(moved)).toBeLessThan(2);
    expect(moved.map(({ index }) => index), 'in their order').toEqual(crowd.map(({ index }) => index));
    expect(Math.max(...moved.map(({ x, y }) => Math.hypot(x - 5, y - 5))), 'and not far').toBeLessThan(120);
  });
});
