import { describe, expect, it } from 'vitest';
import { Earlier, joined, type Part } from './earlier.svelte';

const key = (row: number): string => String(row);
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);

/** A list of `n` rows as a backend pages through it, four at a time. */
function pages(n: () => number): { first: () => Part<number>; before: (cursor: string) => Promise<Part<number>> } {
  const part = (to: number): Part<number> => ({ rows: range(Math.max(0, to - 4), to), earlier: to - 4 > 0 ? String(to - 4) : null });
  return { first: () => part(n()), before: (cursor) => Promise.resolve(part(Number(cursor))) };
}

describe('rows before the newest', () => {
  it('meet a newer picture of the end, each once', () => {
    expect(joined([1, 2, 3, 4], [3, 4, 5], key)).toEqual([1, 2, 3, 4, 5]);
    expect(joined([3, 4, 5], [3, 4, 5], key)).toEqual([3, 4, 5]);
    expect(joined([7, 7, 7], [7, 7, 7, 7], key), 'rows that look alike').toEqual([7, 7, 7, 7]);
    expect(joined([1, 2], [5, 6], key), 'too many came meanwhile').toBeNull();
    expect(joined([1, 2, 3, 9], [3, 4], key), 'some were taken away').toBeNull();
    expect(joined([1, 2], [], key)).toBeNull();
  });

  it('stay while new ones come, without a gap', async () => {
    let n = 11;
    const { first, before } = pages(() => n);
    const list = new Earlier<number>(before, key);
    list.take(first());
    expect([list.rows, list.more]).toEqual([range(7, 11), true]);
    await list.fetch();
    expect(list.rows).toEqual(range(3, 11));
    n = 14;
    list.take(first());
    expect(list.rows, 'the ones between are still there').toEqual(range(3, 14));
    await list.fetch();
    expect([list.rows, list.more]).toEqual([range(0, 14), false]);
    n = 40;
    list.take(first());
    expect([list.rows, list.more], 'too many: it begins anew').toEqual([range(36, 40), true]);
  });

  it('say why they did not come, and come when asked again', async () => {
    let failing = true;
    const { first, before } = pages(() => 9);
    const list = new Earlier<number>((cursor) => (failing ? Promise.reject(new Error('no')) : before(cursor)), key);
    list.take(first());
    await list.fetch();
    expect(list.work.fault?.message).toContain('no');
    failing = false;
    await list.fetch();
    expect(list.rows).toEqual(range(1, 9));
  });
});
