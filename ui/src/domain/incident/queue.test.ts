import { describe, expect, it } from 'vitest';
import type { Incident, IncidentPage, IncidentPageRequest } from '$ui/generated/model';
import { FakePlatform } from '$ui/platform/fake';
import { App } from '$ui/state/app.svelte';
import { parseFilter, requested } from './filter';
import { Queue, QUEUE_MAX } from './queue.svelte';

const REQUEST: IncidentPageRequest = { filter: requested(parseFilter({}), () => 0), order: 'newest', after: null, limit: 2 };

function page(numbers: number[], next: string | null): IncidentPage {
  return {
    rows: numbers.map((number) => ({ id: `id-${number}`, number }) as Incident),
    next,
    total: 6,
    facets: { status: [], severity: [], family: [], assignee: [] },
  };
}

function queueOver(pages: Record<string, IncidentPage>): { queue: Queue; platform: FakePlatform } {
  const platform = new FakePlatform({ incident_page: ({ after }) => pages[after ?? 'first'] ?? page([], null) });
  return { queue: new Queue(new App(platform)), platform };
}

function numbers(queue: Queue): number[] {
  return queue.rows.map((row) => row.number);
}

describe('Queue', () => {
  it('adds page to page until there is none', async () => {
    const { queue, platform } = queueOver({ a: page([4, 3], 'b'), b: page([2, 1], null) });
    await queue.show(page([6, 5], 'a'), REQUEST);
    await queue.more();
    await queue.more();
    await queue.more();
    expect(numbers(queue)).toEqual([6, 5, 4, 3, 2, 1]);
    expect(platform.calls.map((call) => (call.request as IncidentPageRequest).after)).toEqual(['a', 'b']);
  });

  it('fetches the later pages again when the first has changed, and shows no row twice', async () => {
    const pages = { a: page([4, 3], null) } as Record<string, IncidentPage>;
    const { queue } = queueOver(pages);
    await queue.show(page([6, 5], 'a'), REQUEST);
    await queue.more();
    // A new one arrived; everything moved down by one.
    pages['x'] = page([5, 4], 'y');
    pages['y'] = page([3], null);
    await queue.show(page([7, 6], 'x'), REQUEST);
    expect(numbers(queue)).toEqual([7, 6, 5, 4]);
    await queue.more();
    expect(numbers(queue)).toEqual([7, 6, 5, 4, 3]);
  });

  it('begins anew with another filter', async () => {
    const { queue } = queueOver({ a: page([4, 3], null) });
    await queue.show(page([6, 5], 'a'), REQUEST);
    await queue.more();
    await queue.show(page([2], null), { ...REQUEST, order: 'due' });
    expect(numbers(queue)).toEqual([2]);
  });

  it('says when a later page fails, and keeps what it has', async () => {
    const { queue, platform } = queueOver({});
    platform.answers.incident_page = () => {
      const error: unknown = { code: 'timeout', message: 'too long' };
      throw error;
    };
    await queue.show(page([6, 5], 'a'), REQUEST);
    await queue.more();
    expect(queue.moreError?.code).toBe('timeout');
    expect(numbers(queue)).toEqual([6, 5]);
  });

  it('knows who takes the place of a row that leaves', async () => {
    const { queue } = queueOver({});
    await queue.show(page([6, 5, 4], null), REQUEST);
    expect([queue.neighbour(6), queue.neighbour(5), queue.neighbour(4), queue.neighbour(99)]).toEqual([5, 4, 5, null]);
    expect([queue.beside(5, 1), queue.beside(5, -1), queue.beside(4, 1)]).toEqual([4, 6, null]);
  });

  it('holds no more than it can, and fetches what is loaded again in few requests', async () => {
    const platform = new FakePlatform({
      incident_page: ({ after, limit }) => {
        const from = Number(after ?? 0);
        return page(Array.from({ length: limit }, (_, index) => 100_000 - from - index), String(from + limit));
      },
    });
    const queue = new Queue(new App(platform));
    const request = { ...REQUEST, limit: 200 };
    const first = (): IncidentPage => page(Array.from({ length: 200 }, (_, index) => 100_000 - index), '200');
    await queue.show(first(), request);
    for (let scrolled = 0; scrolled < 60; scrolled += 1) await queue.more();
    expect([queue.rows.length, queue.full]).toEqual([QUEUE_MAX, true]);
    platform.calls.length = 0;
    await queue.show(first(), request);
    expect(platform.calls.length, 'pages of 500, not of 200').toBe(10);
    expect(queue.rows.length).toBeGreaterThanOrEqual(QUEUE_MAX);
  });
});
