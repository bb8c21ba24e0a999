import { describe, expect, it } from 'vitest';
import { rolling } from './period.svelte';

const NOW = Date.UTC(2026, 10, 20, 23, 4, 5);

describe('rolling periods', () => {
  it('ends at the next full step, so that the newest event is inside', () => {
    expect(rolling('1h', NOW)).toEqual({ from: '2026-11-20T22:05:00.000Z', to: '2026-11-20T23:05:00.000Z' });
    expect(rolling('7d', NOW)).toEqual({ from: '2026-11-13T23:05:00.000Z', to: '2026-11-20T23:05:00.000Z' });
  });

  it('stays the same within a step', () => {
    expect(rolling('24h', NOW + 50_000)).toEqual(rolling('24h', NOW));
    expect(rolling('24h', NOW + 60_000)).not.toEqual(rolling('24h', NOW));
  });

  it('has no bounds for all data', () => {
    expect(rolling('all', NOW)).toBeNull();
  });
});
