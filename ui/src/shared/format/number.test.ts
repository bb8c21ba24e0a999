import { describe, expect, it } from 'vitest';
import { bytes, change, count, duration, percent, short, withUnit, wholeNumber } from './number';

describe('numbers', () => {
  it.each([
    [count(1_234_567), '1,234,567'],
    [short(999), '999'],
    [short(9_999), '9,999'],
    [short(12_340), '12.3K'],
    [short(0.5), '0.5'],
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
    [120, 100, '+20.0%'],
    [80, 100, '−20.0%'],
    [1_067, 800, '+33.4%'],
    // 12.25 and 12.75 are known exactly: the middle goes to the even digit, as reports round.
    [449, 400, '+12.2%'],
    [451, 400, '+12.8%'],
    [100, 100, '+0.0%'],
    [0, 4, '−100.0%'],
    [0, 0, null],
    [5, 0, null],
    [null, 4, null],
    [4, null, null],
    [10_000, 1, '>×999'],
    [178, 9, '×20'],
    [25, 2, '×12'],
    [20, 2, '×10'],
    [1_999, 200, '+899.5%'],
    [19, 2, '+850.0%'],
  ])('the change from %s to %s', (value, previous, expected) => expect(change(value, previous)).toBe(expected));

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
