import { describe, expect, it } from 'vitest';
import { fromDays, lastDays, months, quarters, request } from './period';

const NOW = Date.parse('2026-11-20T23:42:21.500Z');

describe('months and quarters', () => {
  it('begin with the present one, which is open', () => {
    const [present, before] = months(NOW, 24);
    expect(present).toMatchObject({ id: '2026-11', open: true });
    expect(before).toMatchObject({ id: '2026-10', open: false, from: Date.parse('2026-10-01T00:00:00Z'), to: Date.parse('2026-11-01T00:00:00Z') });
  });

  it('cross the year without a gap', () => {
    const list = months(Date.parse('2026-01-31T12:00:00Z'), 3);
    expect(list.map((month) => month.id)).toEqual(['2026-01', '2025-12', '2025-11']);
    expect(list[1]?.to).toBe(list[0]?.from);
    const all = quarters(NOW, 6);
    expect(all.map((quarter) => quarter.id)).toEqual(['2026-Q4', '2026-Q3', '2026-Q2', '2026-Q1', '2025-Q4', '2025-Q3']);
    expect(all[4]?.to).toBe(all[3]?.from);
  });
});

describe('request', () => {
  it('leaves a period that is over alone', () => {
    const [, before] = months(NOW, 2);
    expect(before && request(before, NOW)).toEqual({ from: '2026-10-01T00:00:00.000Z', to: '2026-11-01T00:00:00.000Z' });
  });

  it('ends an open period at the last full second', () => {
    const [present] = months(NOW, 1);
    expect(present && request(present, NOW).to).toBe('2026-11-20T23:42:21.000Z');
  });

  it('counts today as one of the last days', () => {
    expect(request(lastDays(30, NOW), NOW)).toEqual({ from: '2026-10-22T00:00:00.000Z', to: '2026-11-20T23:42:21.000Z' });
  });
});

describe('fromDays', () => {
  it.each([
    ['2026-11-01', '2026-11-01', 1],
    ['2026-11-01', '2026-11-07', 7],
    ['2026-11-07', '2026-11-01', null],
    ['', '2026-11-01', null],
    ['2026-02-01', '2026-02-31', null],
  ])('%s to %s is %s days', (first, last, days) => {
    const period = fromDays(first, last);
    expect(period === null ? null : (period.to - period.from) / 86_400_000).toBe(days);
  });
});
