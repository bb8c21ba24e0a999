import { flushSync } from 'svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Event, EventPageRequest } from '$ui/generated/model';
import { FakePlatform } from '$ui/platform/fake';
import { App } from '$ui/state/app.svelte';
import { clock } from '$ui/state/clock.svelte';
import { period } from '$ui/state/period.svelte';
import { EventRows } from './event-rows.svelte';
import { LOOK_MS, Newer } from './newer.svelte';

const NOW = Date.parse('2026-03-01T12:00:30Z');

function event(id: string, at: number): Event {
  return { id, at: new Date(at).toISOString() } as Event;
}

let stop = (): void => undefined;
beforeEach(() => {
  vi.useFakeTimers({ now: NOW });
  clock.now = NOW;
  period.preset = 'all';
});
afterEach(() => {
  stop();
  vi.useRealTimers();
  clock.now = Date.now();
});

async function watch(rows: Event[]) {
  const stored = { rows };
  const asked: EventPageRequest[] = [];
  const platform = new FakePlatform({
    event_page: (request) => {
      asked.push(request);
      const found = stored.rows.filter(({ at }) => request.period === null || (at >= request.period.from && at < request.period.to));
      return { rows: found.slice(0, request.limit), next: null };
    },
  });
  const app = new App(platform);
  const list = new EventRows(app, { period: null, category: [], severity: [], outcome: null, entity: null, text: null, query: 'user:anna', zone: 'UTC' } as ConstructorParameters<typeof EventRows>[1]);
  await list.more();
  asked.length = 0;
  let newer: Newer | undefined;
  stop = $effect.root(() => {
    newer = new Newer(app, () => list);
  });
  flushSync();
  if (newer === undefined) throw new Error('it was made');
  /** The feed says that something was stored; time passes. */
  const signal = async (ms = 0): Promise<void> => {
    app.queries.invalidate(['events']);
    flushSync();
    await vi.advanceTimersByTimeAsync(ms);
    flushSync();
  };
  return { newer, stored, asked, signal };
}

describe('Newer', () => {
  it('asks nothing while nothing is stored, then for one row, and no oftener than it has to', async () => {
    const { newer, stored, asked, signal } = await watch([event('a', NOW - 60_000)]);
    await vi.advanceTimersByTimeAsync(10 * LOOK_MS);
    expect(asked, 'time alone is no reason').toEqual([]);
    await signal(1);
    expect([newer.there, asked.length, asked[0]?.limit, asked[0]?.query, asked[0]?.period?.from]).toEqual([false, 1, 1, 'user:anna', new Date(NOW - 60_000).toISOString()]);
    for (let turn = 0; turn < 8; turn += 1) await signal(LOOK_MS / 10);
    expect(asked, 'what is stored four times a second is looked at now and then').toHaveLength(1);
    stored.rows = [event('b', NOW), ...stored.rows];
    await signal(LOOK_MS);
    expect([newer.there, asked.length]).toEqual([true, 2]);
    await signal(LOOK_MS * 3);
    expect(asked, 'it is known').toHaveLength(2);
    newer.begin();
    expect(newer.there).toBe(false);
  });

  it('is not led astray by an event of tomorrow', async () => {
    const tomorrow = event('z', NOW + 86_400_000);
    const { newer, stored, signal } = await watch([tomorrow, event('a', NOW - 60_000)]);
    await signal(1);
    expect(newer.there).toBe(false);
    stored.rows = [tomorrow, event('b', NOW), event('a', NOW - 60_000)];
    await signal(LOOK_MS);
    expect(newer.there).toBe(true);
  });
});
