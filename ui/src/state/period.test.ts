import { describe, expect, it } from 'vitest';
import { clock } from './clock.svelte';
import { period, rolling } from './period.svelte';

const NOW = Date.UTC(2026, 10, 20, 23, 4, 5);

describe('rolling periods', () => {
  it('ends at the next full step, so that the newest event is inside', () => {
    expect(rolling('1h', NOW)).toEqual({ from: '2026-11-20T22:05:00.000Z', to: '2026-11-20T23:05:00.000Z' });
    expect(rolling('7d', NOW)).toEqual({ from: '2026-11-13T23:05:00.000Z', to: '2026-11-20T23:05:00.000Z' });
  });

  it('stays the same within a step', () => {
    expect(rolling('1h', NOW + 50_000)).toEqual(rolling('1h', NOW));
    expect(rolling('1h', NOW + 60_000)).not.toEqual(rolling('1h', NOW));
    // What is looked at most is drawn anew with each step: of a day a minute cannot be seen.
    expect(rolling('24h', NOW + 290_000)).toEqual(rolling('24h', NOW + 60_000));
    expect(rolling('24h', NOW + 360_000)).not.toEqual(rolling('24h', NOW + 60_000));
  });

  it('is one and the same until its step is over, however often the clock ticks', () => {
    const real = clock.now;
    period.preset = '24h';
    clock.now = NOW;
    const before = period.current;
    clock.now = NOW + 1_000;
    expect(period.current).toBe(before);
    clock.now = NOW + 300_000;
    expect(period.current).not.toEqual(before);
    expect(period.current).toEqual(rolling('24h', NOW + 300_000));
    clock.now = real;
  });

  it('has no bounds for all data', () => {
    expect(rolling('all', NOW)).toBeNull();
  });
});

describe('narrowing in a chart', () => {
  const at = Date.UTC(2026, 10, 20) / 1_000;

  it('leads back step by step to what was looked at', () => {
    period.preset = '7d';
    expect(period.narrowed).toBe(false);
    period.narrow(at, at + 7_200);
    period.narrow(at + 900, at + 1_800);
    expect(period.current).toEqual({ from: '2026-11-20T00:15:00.000Z', to: '2026-11-20T00:30:00.000Z' });
    period.widen();
    expect([period.preset, period.current]).toEqual(['custom', { from: '2026-11-20T00:00:00.000Z', to: '2026-11-20T02:00:00.000Z' }]);
    period.widen();
    expect([period.preset, period.narrowed]).toEqual(['7d', false]);
    period.widen();
    expect(period.preset, 'there is nothing wider').toBe('7d');
  });

  it('is forgotten when another period is chosen', () => {
    period.narrow(at, at + 60);
    period.preset = '24h';
    expect(period.narrowed).toBe(false);
    period.narrow(at, at + 60);
    period.setCustom({ from: '2026-11-01T00:00:00.000Z', to: '2026-11-02T00:00:00.000Z' });
    expect(period.narrowed).toBe(false);
    period.preset = '24h';
  });

  it('is of the moment: the next start begins with a rolling period', () => {
    period.preset = '7d';
    period.narrow(at, at + 60);
    expect(localStorage.getItem('watchpost.period')).toBe('7d');
    period.preset = '24h';
  });
});
