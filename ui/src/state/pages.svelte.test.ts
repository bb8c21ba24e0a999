import { describe, expect, it, vi } from 'vitest';
import { Pages, PAGES_MAX, type PageOf } from './pages.svelte';

/** Pages of 500 numbers, without an end. */
function endless(after: string | null): Promise<PageOf<number>> {
  const from = Number(after ?? 0);
  return Promise.resolve({ rows: Array.from({ length: 500 }, (_, index) => from + index), next: String(from + 500) });
}

describe('Pages', () => {
  it('holds no more than it can, however often it is asked', async () => {
    const fetch = vi.fn(endless);
    const pages = new Pages(fetch);
    for (let press = 0; press < 20; press += 1) await pages.more();
    expect([pages.rows.length, pages.full, pages.complete]).toEqual([PAGES_MAX, true, false]);
    expect(fetch).toHaveBeenCalledTimes(PAGES_MAX / 500);
  });

  it('is not full when everything is there', async () => {
    const pages = new Pages(() => Promise.resolve({ rows: Array.from({ length: PAGES_MAX }, (_, index) => index), next: null }));
    await pages.more();
    expect([pages.full, pages.complete]).toEqual([false, true]);
  });
});
