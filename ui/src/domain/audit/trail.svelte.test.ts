import { describe, expect, it } from 'vitest';
import type { AuditFilter, AuditPage, AuditRecord } from '$ui/generated/model';
import { FakePlatform } from '$ui/platform/fake';
import { App } from '$ui/state/app.svelte';
import { Trail, TRAIL_MAX } from './trail.svelte';

const ANY: AuditFilter = { actor: null, action: null, text: null, outcome: null };

function record(seq: number): AuditRecord {
  return { seq, at: '2026-11-20T10:00:00Z', actor: 'mara', origin: 'window', host: 'h', action: 'block_add', object: '', permission: 'contain', outcome: 'success', changes: [], reason: null, risk: 0, leaf_hash: '' };
}

/** Records from `newest` down, `n` of them. */
function page(newest: number, n: number, next: number | null): AuditPage {
  return { rows: Array.from({ length: n }, (_, index) => record(newest - index)), next, size: newest + 1, uncovered: 0, checkpoint: null };
}

function trail(older: AuditPage): Trail {
  return new Trail(new App(new FakePlatform({ audit_page: () => older })));
}

const seqs = (list: Trail): number[] => list.rows.map((row) => row.seq);

describe('Trail', () => {
  it('puts what is new before what was loaded', async () => {
    const list = trail(page(6, 3, 4));
    list.show(page(9, 3, 7), ANY);
    await list.more(ANY);
    list.show(page(11, 3, 9), ANY);
    expect(seqs(list)).toEqual([11, 10, 9, 8, 7, 6, 5, 4]);
  });

  it('begins anew when there may be a gap', async () => {
    const list = trail(page(6, 3, null));
    list.show(page(9, 3, 7), ANY);
    await list.more(ANY);
    list.show(page(30, 3, 28), ANY);
    expect(seqs(list)).toEqual([30, 29, 28]);
  });

  it('begins anew with another filter', () => {
    const list = trail(page(6, 3, null));
    list.show(page(9, 3, 7), ANY);
    list.show(page(9, 1, null), { ...ANY, actor: 'jonas' });
    expect(seqs(list)).toEqual([9]);
  });

  it('drops an answer to a list that is gone', async () => {
    const list = trail(page(6, 3, null));
    list.show(page(9, 3, 7), ANY);
    const late = list.more(ANY);
    list.show(page(9, 1, null), { ...ANY, actor: 'jonas' });
    await late;
    expect(seqs(list)).toEqual([9]);
  });

  it('stops after a failure until the list is fresh', async () => {
    const platform = new FakePlatform({});
    const list = new Trail(new App(platform));
    list.show(page(9, 3, 7), ANY);
    await list.more(ANY);
    await list.more(ANY);
    expect(list.error?.code).toBe('not_found');
    expect(platform.calls).toHaveLength(1);
  });

  it('holds no more than it can; what falls off is fetched from there again', async () => {
    const rows = (newest: number, n: number): AuditPage['rows'] => page(newest, n, null).rows;
    const platform = new FakePlatform({ audit_page: ({ before, limit }) => ({ ...page(1, 0, null), rows: rows((before ?? 0) - 1, limit), next: (before ?? 0) - limit }) });
    const list = new Trail(new App(platform));
    list.show({ ...page(1, 0, null), rows: rows(50_000, 200), next: 49_801 }, ANY);
    for (let scrolled = 0; scrolled < 70; scrolled += 1) await list.more(ANY);
    expect([list.rows.length, list.full]).toEqual([TRAIL_MAX, true]);
    const last = list.rows.at(-1)?.seq ?? 0;
    list.show({ ...page(1, 0, null), rows: rows(50_002, 200), next: 49_803 }, ANY);
    expect([list.rows.length, list.rows[0]?.seq, list.rows.at(-1)?.seq]).toEqual([TRAIL_MAX, 50_002, last + 2]);
  });
});
