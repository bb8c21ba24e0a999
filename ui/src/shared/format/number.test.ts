import type { KpiChange } from '$ui/generated/model';
import { describe, expect, it, vi } from 'vitest';
import { bytes, change, count, duration, partOf, percent, short, tiny, withUnit, wholeNumber } from './number';

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
    [partOf(5_000, 5_001), '99.9%'],
    [partOf(5_001, 5_001), '100.0%'],
    [partOf(1, 100_000), '0.1%'],
    [partOf(0, 100_000), '0.0%'],
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

  it.each([
    [153.11, 'per_minute', '153/min'],
    [8_258.06, 'per_second', '8,258/s'],
    [1.917, 'per_second', '1.92/s'],
    [15.26, 'milliseconds', '15.3 ms'],
    [0.84, 'milliseconds', '0.84 ms'],
    [0.008_13, 'milliseconds', '8.13 µs'],
    [0, 'milliseconds', '0 ms'],
    [1_240, 'count', '1,240'],
    [1_240.4, 'count', '1,240'],
  ] as const)('reads what was measured, %d %s, to three figures', (value, unit, expected) => expect(withUnit(value, unit)).toBe(expected));

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

  it('of German have their percent behind a space at which no line ends', async () => {
    localStorage.setItem('watchpost.language', 'de');
    vi.resetModules();
    try {
      const german = await import('./number');
      expect([german.percent(0.003), german.partOf(5_000, 5_001), german.withUnit(0.5, 'ratio'), german.change({ by: -12, unit: 'percent' })]).toEqual(['0,3\u00A0%', '99,9\u00A0%', '50,0\u00A0%', '−12,0\u00A0%']);
      expect(german.whole(german.percent(1))).toBe('100\u00A0%');
      const { de } = await import('$ui/i18n/de');
      expect(Object.values(de).filter((text) => /[\d}] ?%/.test(text)), 'nor has a text another form').toEqual([]);
    } finally {
      localStorage.removeItem('watchpost.language');
      vi.resetModules();
    }
  });
});
