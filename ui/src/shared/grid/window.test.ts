import { describe, expect, it } from 'vitest';
import { gridWindow, moveSelection, scrollToRow, SPACER_MAX_PX } from './window';

describe('gridWindow', () => {
  it('draws what is seen and a little more', () => {
    expect(gridWindow(0, 400, 1_000, 40, 2)).toEqual({ first: 0, end: 12, spacer: 40_000, offset: 0 });
    expect(gridWindow(4_000, 400, 1_000, 40, 2)).toMatchObject({ first: 98, end: 112, offset: 3_920 });
  });

  it('draws everything that is short', () => {
    expect(gridWindow(0, 400, 3, 40)).toEqual({ first: 0, end: 3, spacer: 120, offset: 0 });
    expect(gridWindow(0, 400, 0, 40)).toEqual({ first: 0, end: 0, spacer: 0, offset: 0 });
  });

  it('reaches the first and the last of a million rows under the height limit', () => {
    const rows = 1_000_000;
    const top = gridWindow(0, 800, rows, 40);
    const bottom = gridWindow(SPACER_MAX_PX - 800, 800, rows, 40);
    expect(top.spacer).toBe(SPACER_MAX_PX);
    expect(top.first).toBe(0);
    expect(bottom.end).toBe(rows);
    const lastBottom = bottom.offset + (bottom.end - bottom.first) * 40;
    expect(lastBottom, 'the last row ends where the space ends').toBeCloseTo(SPACER_MAX_PX, 3);
  });

  it('is not led astray by a scroll position that is out of range', () => {
    expect(gridWindow(99_999, 400, 20, 40).end).toBe(20);
    expect(gridWindow(-50, 400, 20, 40).first).toBe(0);
  });
});

describe('scrollToRow', () => {
  it('moves as little as needed', () => {
    expect(scrollToRow(3, 0, 400, 1_000, 40), 'already seen').toBe(0);
    expect(scrollToRow(10, 0, 400, 1_000, 40)).toBe(40);
    expect(scrollToRow(5, 1_000, 400, 1_000, 40)).toBeCloseTo(200, 6);
  });

  it('shows any row of a million', () => {
    for (const row of [0, 1, 499_999, 999_998, 999_999]) {
      const top = scrollToRow(row, 3_000_000, 800, 1_000_000, 40);
      const seen = gridWindow(top, 800, 1_000_000, 40, 0);
      expect(seen.first).toBeLessThanOrEqual(row);
      expect(seen.end).toBeGreaterThan(row);
    }
  });
});

describe('moveSelection', () => {
  it.each([
    ['j', 0, 1],
    ['ArrowDown', 9, 9],
    ['k', 3, 2],
    ['k', 0, 0],
    ['j', -1, 0],
    ['k', -1, 0],
    ['PageDown', 1, 6],
    ['PageUp', 2, 0],
    ['Home', 5, 0],
    ['End', 5, 9],
    ['x', 5, null],
  ] as const)('%s from %d', (key, from, to) => expect(moveSelection(key, from, 10, 5)).toBe(to));

  it('does nothing without rows', () => expect(moveSelection('j', -1, 0, 5)).toBeNull());
});
