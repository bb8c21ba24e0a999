import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { IncidentPage, IncidentPageRequest } from '$ui/generated/model';
import { FakePlatform } from '$ui/platform/fake';
import { App } from '$ui/state/app.svelte';
import { ViewCounts } from './view-counts.svelte';

const ALL = {};
const MINE = { assignee: 'mara' };

function page(total: number): IncidentPage {
  return { rows: [], next: null, total, facets: { status: [], severity: [], family: [], assignee: [] } };
}

let platform: FakePlatform;
let counts: ViewCounts;
let total: number;

beforeEach(() => {
  vi.useFakeTimers();
  total = 7;
  platform = new FakePlatform({ incident_page: ({ filter }) => page(filter.assignee === 'mara' ? 2 : total) });
  counts = new ViewCounts(new App(platform));
});

afterEach(() => {
  counts.stop();
  vi.useRealTimers();
});

describe('the counts of the views', () => {
  it('are asked for once in a while, however much changes', async () => {
    counts.look([ALL, MINE]);
    await vi.advanceTimersByTimeAsync(0);
    expect([counts.of(ALL), counts.of(MINE)]).toEqual([7, 2]);
    expect(platform.calls).toHaveLength(2);
    total = 8;
    for (let batch = 0; batch < 16; batch += 1) {
      counts.look([ALL, MINE]);
      await vi.advanceTimersByTimeAsync(250);
    }
    expect(platform.calls, 'four changes a second for four seconds').toHaveLength(2);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(platform.calls).toHaveLength(4);
    expect(counts.of(ALL)).toBe(8);
  });

  it('ask one after another, and at once for a view that is new', async () => {
    let [under, most] = [0, 0];
    platform.answers.incident_page = async (request: IncidentPageRequest) => {
      under += 1;
      most = Math.max(most, under);
      await Promise.resolve();
      under -= 1;
      return page(request.filter.severity.length);
    };
    counts.look([ALL, MINE]);
    await vi.advanceTimersByTimeAsync(0);
    counts.look([ALL, MINE, { severity: 'high' }]);
    await vi.advanceTimersByTimeAsync(0);
    expect(counts.of({ severity: 'high' })).toBe(1);
    expect(most).toBe(1);
  });

  it('say nothing of what could not be counted', async () => {
    counts.look([ALL]);
    await vi.advanceTimersByTimeAsync(0);
    platform.answers.incident_page = () => {
      const failure: unknown = { code: 'unavailable', message: 'the database does not answer' };
      throw failure;
    };
    counts.look([ALL]);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(counts.of(ALL)).toBeUndefined();
  });
});
