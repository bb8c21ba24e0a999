import type { KpiChange } from '$ui/generated/model';
import { describe, expect, it } from 'vitest';
import { bytes, change, count, duration, percent, short, tiny, withUnit, wholeNumber } from './number';

describe('numbers', () => {
  it.each([
    [count(1_234_567), '1,234,567'],
    [short(999), '999'],
    [short(9_999), '9,999'],
    [short(12_340), '12.3K'],
    [short(0.5), '0.5'],
    [tiny(0), '0'],
    [tiny(999), '999'],
    [tiny(1_234), '1.2k'],
    [tiny(9_960), '10k'],
    [tiny(34_567), '35k'],
    [tiny(999_600), '1M'],
    [tiny(5_400_000), '5.4M'],
    [bytes(0), '0 B'],
    [bytes(1_023), '1,023 B'],
    [bytes(1_536), '1.5 KiB'],
    [bytes(3 * 1024 ** 3), '3.0 GiB'],
    [percent(0.4567), '45.7%'],
  ])('%s', (text, expected) => expect(text).toBe(expected));

  it.each([
    [0, '0 s'],
    [0.0421, '42.1 ms'],
    [59, '59 s'],
    [60, '1 min'],
    [3_660, '1 h 1 min'],
    [3_605, '1 h'],
    [90_000, '1 d 1 h'],
    [86_400, '1 d'],
    [-120, '−2 min'],
  ])('a duration of %d s', (seconds, expected) => expect(duration(seconds)).toBe(expected));

  it('never shows an unknown value as a number', () => {
    for (const unit of ['ratio', 'bytes', 'milliseconds', 'per_second', 'per_minute', 'count', 'seconds'] as const) {
      expect(withUnit(null, unit)).toBe('n/a');
      expect(withUnit(Number.NaN, unit)).toBe('n/a');
    }
  });

  it.each([
    [{ by: 33.4, unit: 'percent' }, '+33.4%'],
    [{ by: 0, unit: 'percent' }, '+0.0%'],
    [{ by: -100, unit: 'percent' }, '−100.0%'],
    [{ by: 899.5, unit: 'percent' }, '+899.5%'],
    [{ by: 20, unit: 'times' }, '×20'],
    [{ by: 10_000, unit: 'times' }, '>×999'],
    [null, null],
  ] as [KpiChange | null, string | null][])('the change %o', (of, expected) => expect(change(of)).toBe(expected));

  it.each([
    ['7', 7],
    [' 0 ', 0],
    ['-1', null],
    ['3651', null],
    ['7.5', null],
    ['', null],
  ])('reads %j as days', (typed, days) => {
    expect(wholeNumber(typed, 0, 3650)).toBe(days);
  });
});
