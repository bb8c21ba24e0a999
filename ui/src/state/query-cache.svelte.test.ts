import { flushSync } from 'svelte';
import { describe, expect, it, vi } from 'vitest';
import type { IncidentDetail } from '$ui/generated/model';
import { FakePlatform } from '$ui/platform/fake';
import { QueryCache } from './query-cache.svelte';

/** An answer that comes when the test says so. */
function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void; reject: (reason: unknown) => void } {
  let resolve: (value: T) => void = () => undefined;
  let reject: (reason: unknown) => void = () => undefined;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

function detail(number: number): IncidentDetail {
  return { incident: { number }, why: [], evidence: [], entities: [], notes: [], timeline: [] } as unknown as IncidentDetail;
}

function cacheWith(answer: (number: number) => IncidentDetail | Promise<IncidentDetail>): { platform: FakePlatform; cache: QueryCache } {
  const platform = new FakePlatform({ incident_detail: ({ number }) => answer(number), job_list: () => ({ runs: [] }) });
  return { platform, cache: new QueryCache(platform) };
}

describe('QueryCache', () => {
  it('has one entry for one operation and request', () => {
    const { cache } = cacheWith(detail);
    expect(cache.entry('incident_detail', { number: 1 })).toBe(cache.entry('incident_detail', { number: 1 }));
    expect(cache.entry('incident_detail', { number: 1 })).not.toBe(cache.entry('incident_detail', { number: 2 }));
  });

  it('fetches when it is first shown, and not again while it is fresh', async () => {
    const { cache, platform } = cacheWith(detail);
    const entry = cache.entry('incident_detail', { number: 7 });
    const end = cache.watch(entry);
    await vi.waitFor(() => expect(entry.data?.incident.number).toBe(7));
    end();
    cache.watch(entry);
    expect(platform.calls).toHaveLength(1);
  });

  it('keeps what is shown when the next answer says the same', async () => {
    let notes = 0;
    const { cache, platform } = cacheWith((number) => ({ ...detail(number), notes: Array.from({ length: notes }) }) as unknown as IncidentDetail);
    const entry = cache.entry('incident_detail', { number: 1 });
    cache.watch(entry);
    await vi.waitFor(() => expect(entry.data).toBeDefined());
    const before = entry.data;
    cache.invalidate(['incidents']);
    await vi.waitFor(() => expect([platform.calls.length, entry.fetching]).toEqual([2, false]));
    expect(entry.data).toBe(before);
    notes = 1;
    cache.invalidate(['incidents']);
    await vi.waitFor(() => expect(entry.data?.notes).toHaveLength(1));
  });

  it('fetches again what is shown and provides a changed tag, and only that', async () => {
    const { cache, platform } = cacheWith(detail);
    const shown = cache.entry('incident_detail', { number: 1 });
    const hidden = cache.entry('incident_detail', { number: 2 });
    const jobs = cache.entry('job_list', {});
    cache.watch(shown);
    cache.watch(jobs);
    cache.watch(hidden)();
    await vi.waitFor(() => expect(hidden.data).toBeDefined());
    platform.calls.length = 0;
    cache.invalidate(['incidents']);
    await vi.waitFor(() => expect(shown.fetching).toBe(false));
    expect(platform.calls.map((call) => [call.name, call.request])).toEqual([['incident_detail', { number: 1 }]]);
    expect(hidden.stale, 'fetched when it is next shown').toBe(true);
    cache.watch(hidden);
    expect(platform.calls).toHaveLength(2);
  });

  it('folds changes during a fetch into exactly one more', async () => {
    const answers = [deferred<IncidentDetail>(), deferred<IncidentDetail>(), deferred<IncidentDetail>()];
    let asked = 0;
    const { cache } = cacheWith(() => answers[asked++]?.promise ?? detail(99));
    const entry = cache.entry('incident_detail', { number: 1 });
    cache.watch(entry);
    cache.invalidate(['incidents']);
    cache.invalidate(['incidents']);
    cache.invalidate(['incidents']);
    expect(asked).toBe(1);
    answers[0]?.resolve(detail(1));
    await vi.waitFor(() => expect(asked).toBe(2));
    answers[1]?.resolve(detail(2));
    await vi.waitFor(() => expect(entry.fetching).toBe(false));
    expect(asked).toBe(2);
    expect(entry.data?.incident.number).toBe(2);
  });

  it('keeps the last good answer beside the failure', async () => {
    let fail = false;
    const { cache } = cacheWith((number) => {
      if (fail) throw Object.assign(new Error('gone'), { code: 'unavailable' });
      return detail(number);
    });
    const entry = cache.entry('incident_detail', { number: 3 });
    cache.watch(entry);
    await vi.waitFor(() => expect(entry.data).toBeDefined());
    const before = entry.updatedAt;
    fail = true;
    cache.invalidate(['incidents']);
    await vi.waitFor(() => expect(entry.error?.code).toBe('unavailable'));
    expect(entry.data?.incident.number).toBe(3);
    expect(entry.updatedAt).toBe(before);
  });

  it('forgets the oldest answers that nobody looks at', () => {
    const { cache } = cacheWith(detail);
    const kept = cache.entry('incident_detail', { number: 0 });
    cache.watch(kept);
    for (let number = 1; number <= 100; number += 1) cache.entry('incident_detail', { number });
    expect(cache.size).toBeLessThanOrEqual(42);
    expect(cache.entry('incident_detail', { number: 0 }), 'what is shown is never forgotten').toBe(kept);
  });

  it('drops the answer that was on its way when another workspace was opened', async () => {
    const first = deferred<IncidentDetail>();
    const answers = [first.promise, Promise.resolve(detail(8))];
    const { cache } = cacheWith(() => answers.shift() ?? detail(9));
    const entry = cache.entry('incident_detail', { number: 7 });
    cache.watch(entry);
    const seen: (number | undefined)[] = [];
    const stop = $effect.root(() => {
      $effect(() => void seen.push(entry.data?.incident.number));
    });
    flushSync();
    cache.reset();
    first.resolve(detail(7));
    await vi.waitFor(() => expect(entry.data?.incident.number).toBe(8));
    flushSync();
    stop();
    expect(seen, 'number 7 of the workspace before was never there').toEqual([undefined, 8]);
  });

  it('keeps what was answered before the first workspace was open, and asks for it again; not what failed', async () => {
    let open = false;
    const { cache, platform } = cacheWith((number) => {
      if (!open) throw Object.assign(new Error('no workspace is open'), { code: 'precondition' });
      return detail(number);
    });
    const [machine, failed] = [cache.entry('job_list', {}), cache.entry('incident_detail', { number: 7 })];
    cache.watch(machine);
    cache.watch(failed);
    await vi.waitFor(() => expect([machine.data, failed.error?.code]).toEqual([{ runs: [] }, 'precondition']));
    open = true;
    cache.opened();
    expect([machine.data, failed.error]).toEqual([{ runs: [] }, null]);
    await vi.waitFor(() => expect(failed.data?.incident.number).toBe(7));
    expect(platform.calls).toHaveLength(4);
  });

  it('counts what has changed, by tag', () => {
    const { cache } = cacheWith(detail);
    cache.invalidate(['events', 'incidents']);
    cache.invalidate(['events']);
    expect([cache.revision('events'), cache.revision('incidents'), cache.revision('blocks')]).toEqual([2, 1, 0]);
  });

  it('says nothing of a failure of the workspace before', async () => {
    const first = deferred<IncidentDetail>();
    const answers = [first.promise];
    const { cache } = cacheWith(() => answers.shift() ?? detail(8));
    const entry = cache.entry('incident_detail', { number: 7 });
    cache.watch(entry);
    cache.reset();
    first.reject(new Error('the server of before is gone'));
    await vi.waitFor(() => expect(entry.data?.incident.number).toBe(8));
    expect(entry.error).toBeNull();
  });
});
