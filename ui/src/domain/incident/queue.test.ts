import { describe, expect, it, vi } from 'vitest';
import type { Incident, IncidentPage, IncidentPageRequest } from '$ui/generated/model';
import { FakePlatform } from '$ui/platform/fake';
import { App } from '$ui/state/app.svelte';
import { parseFilter, requested } from './filter';
import { Queue, QUEUE_MAX, REACH_MAX } from './queue.svelte';

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

  describe('an incident further down', () => {
    /** Times of different precision as one that can be compared. */
    const digits = (at: string): string => at.replace('Z', '');
    const OPENED = Date.parse('2026-03-01T00:00:00.000Z');

    function incident(number: number): Incident {
      return { id: `id-${number}`, number, opened_at: new Date(OPENED + number * 60_000).toISOString().replace('Z', '') + '417Z' } as Incident;
    }

    /** A queue of so many incidents, with what was asked for. */
    async function long(length: number) {
      const all = Array.from({ length }, (_, index) => incident(length - index));
      const asked: IncidentPageRequest[] = [];
      const answer = (request: IncidentPageRequest): IncidentPage => {
        const { opened } = request.filter;
        const found = opened === undefined ? all : all.filter(({ opened_at }) => digits(opened_at) >= digits(opened.from) && digits(opened_at) < digits(opened.to));
        const from = Number(request.after ?? 0);
        const next = from + request.limit < found.length ? String(from + request.limit) : null;
        return { ...page([], next), rows: found.slice(from, from + request.limit), total: found.length };
      };
      const queue = new Queue(
        new App(
          new FakePlatform({
            incident_page: (request) => {
              asked.push(request);
              return answer(request);
            },
          }),
        ),
      );
      const request = { ...REQUEST, limit: 200 };
      await queue.show(answer(request), request);
      return { queue, asked, request, answer };
    }

    it('is loaded down to, in few requests, and the keys go on from it', async () => {
      const { queue, asked } = await long(3_000);
      await queue.reach(incident(2_100));
      expect(numbers(queue)).toContain(2_100);
      expect(asked.map(({ limit, after }) => [limit, after]), 'is it there; then two large pages').toEqual([[200, null], [500, '200'], [500, '700']]);
      expect([queue.beside(2_100, 1), queue.beside(2_100, -1), queue.beyond]).toEqual([2_099, 2_101, null]);
    });

    it('that the filter does not find costs one request', async () => {
      const { queue, asked } = await long(3_000);
      await queue.reach(incident(9_000));
      expect([asked.length, queue.rows.length, queue.beyond, queue.beside(9_000, 1)]).toEqual([1, 200, null, 3_000]);
    });

    it('that was not opened in the time of the filter costs none', async () => {
      const { queue, asked, request, answer } = await long(3_000);
      const opened = { from: new Date(OPENED + 2_000 * 60_000).toISOString(), to: new Date(OPENED + 9_000 * 60_000).toISOString() };
      const narrowed = { ...request, filter: { ...request.filter, opened } };
      await queue.show(answer(narrowed), narrowed);
      await queue.reach(incident(100));
      expect(asked).toEqual([]);
      await queue.reach(incident(2_050));
      expect(numbers(queue)).toContain(2_050);
    });

    it('that is too far down is told as such, and k leads to the last row that is there', async () => {
      const { queue } = await long(6_000);
      await queue.reach(incident(7));
      expect(queue.beyond).toBe(7);
      expect(queue.rows.length).toBeLessThan(REACH_MAX + 500);
      expect([queue.beside(7, -1), queue.beside(7, 1)]).toEqual([queue.rows.at(-1)?.number, 6_000]);
    });

    it('is looked for on when the first page changes meanwhile', async () => {
      const { queue, request, answer } = await long(3_000);
      const reached = queue.reach(incident(2_100));
      await Promise.resolve();
      await queue.show({ ...answer(request) }, request);
      await reached;
      await vi.waitFor(() => expect(numbers(queue)).toContain(2_100));
    });
  });
});
