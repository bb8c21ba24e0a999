import { describe, expect, it } from 'vitest';
import type { HealthSample } from '$ui/generated/model';
import { course, scale, usualStep } from './history';

function sample(second: number, memory: number | null): HealthSample {
  return { at: new Date(second * 1_000).toISOString(), memory_bytes: memory, ops_per_s: 1, latency_ms: null, expired_per_s: null, events_per_min: null, backlog: null };
}

const LOOKS = [{ field: 'memory_bytes', label: 'Memory', colour: '--series-1' }] as const;

describe('course', () => {
  it('keeps unknown values as gaps, never as zero', () => {
    expect(course([sample(10, 5), sample(20, null), sample(30, 0)], LOOKS).series[0]?.values).toEqual([5, null, 0]);
  });

  it('breaks the line where sampling stopped', () => {
    const data = course([sample(0, 1), sample(10, 1), sample(20, 1), sample(900, 2), sample(910, 2)], LOOKS);
    expect(data.times).toEqual([0, 10, 20, 30, 900, 910]);
    expect(data.series[0]?.values).toEqual([1, 1, 1, null, 2, 2]);
  });

  it('is empty without samples', () => {
    expect(course([], LOOKS)).toEqual({ times: [], step: 1, series: [{ id: 'memory_bytes', label: 'Memory', colour: '--series-1', values: [] }] });
  });

  it('takes the usual step, not the longest', () => {
    expect(usualStep([0, 10, 20, 900])).toBe(10);
  });
});

describe('scale', () => {
  it.each([
    [0, 0],
    [100, 0.8],
    [125, 1],
    [1000, 1],
  ])('puts %d of 100 critical at %d', (value, share) => {
    expect(scale(value, 70, 100).value).toBeCloseTo(share);
  });

  it('moves the thresholds when the value is beyond the bar', () => {
    expect(scale(1_000, 70, 100).critical).toBeCloseTo(0.1);
  });
});
