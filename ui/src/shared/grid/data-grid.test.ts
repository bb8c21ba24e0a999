import { fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { createRawSnippet, tick } from 'svelte';
import { SvelteSet } from 'svelte/reactivity';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { printing } from '$ui/state/printing.svelte';
import DataGrid from './data-grid.svelte';

interface Row {
  id: number;
  name: string;
}

const ROWS: Row[] = Array.from({ length: 500 }, (_, id) => ({ id, name: `row ${id}` }));

const cell = createRawSnippet<[Row, string]>((row) => ({ render: () => `<span>${row().name}</span>` }));

function show(more: Record<string, unknown> = {}) {
  const onopen = vi.fn();
  const onkey = vi.fn(() => true);
  const onend = vi.fn();
  render(DataGrid<Row>, {
    label: 'Rows',
    columns: [{ id: 'name', title: 'Name', width: '1fr' }],
    rows: ROWS,
    total: 1_234,
    rowKey: (row: Row) => row.id,
    rowHeight: 40,
    cell,
    onopen,
    onkey,
    onend,
    ...more,
  });
  return { grid: screen.getByRole('grid'), onopen, onkey, onend };
}

function activeRow(): string | null | undefined {
  return document.querySelector('[role=row][aria-selected=true]')?.textContent?.trim();
}

describe('DataGrid', () => {
  it('tells how many rows there are and draws only some', () => {
    const { grid, onend } = show();
    expect(grid.getAttribute('aria-rowcount')).toBe('1235');
    expect(document.querySelectorAll('[data-test=row]').length).toBeLessThan(40);
    expect(document.querySelector('[data-test=row]')?.getAttribute('aria-rowindex')).toBe('2');
    expect(onend, 'the end is far').not.toHaveBeenCalled();
  });

  it('draws all that is loaded for paper, where nothing can be scrolled, and says what is left out', async () => {
    const { onend } = show();
    const stop = printing.start();
    const drawn = (): number => document.querySelectorAll('[data-test=row]').length;
    const before = drawn();
    dispatchEvent(new Event('beforeprint'));
    expect(drawn(), 'before the handler returns').toBe(500);
    expect(document.querySelector('[data-test=grid-printed]')?.textContent).toContain('500 of 1,234');
    expect(onend, 'paper asks for no more').not.toHaveBeenCalled();
    dispatchEvent(new Event('afterprint'));
    await tick();
    expect(drawn()).toBe(before);
    stop();
  });

  it('is scrolled to where it was left, with the row that was active, once there is enough to scroll', async () => {
    const kept: { top: number; selected: string | number | null }[] = [];
    const place = { take: () => ({ top: 4_000, selected: 101 }), keep: (spot: { top: number; selected: string | number | null }) => kept.push(spot), forget: () => undefined };
    const { grid } = show({ place });
    expect(grid.scrollTop).toBe(4_000);
    await fireEvent.scroll(grid);
    expect(activeRow()).toBe('row 101');
    await fireEvent.keyDown(grid, { key: 'j' });
    await waitFor(() => expect(kept.at(-1)?.selected).toBe(102));
    expect(kept.at(-1)?.top).toBe(grid.scrollTop);
  });

  it('brings what is opened into sight, wherever the list was left, until somebody scrolls', async () => {
    const place = { take: () => ({ top: 4_000, selected: 12 }), keep: () => undefined, forget: () => undefined };
    const props = { label: 'Rows', columns: [{ id: 'name', title: 'Name', width: '1fr' }], rowKey: (row: Row) => row.id, rowHeight: 40, cell, place };
    const { rerender } = render(DataGrid<Row>, { ...props, rows: ROWS, selected: 12, revealed: 12 });
    const grid = screen.getByRole('grid');
    await fireEvent.scroll(grid);
    await waitFor(() => expect(activeRow()).toBe('row 12'));
    await rerender({ selected: 400, revealed: 400 });
    await fireEvent.scroll(grid);
    await waitFor(() => expect(activeRow(), 'by another link').toBe('row 400'));
    await fireEvent.wheel(grid);
    grid.scrollTop = 0;
    await rerender({ rows: ROWS.slice(0, 450) });
    expect(grid.scrollTop, 'who scrolls away is left there').toBe(0);
    await rerender({ rows: [], selected: 40, revealed: 40 });
    await rerender({ rows: ROWS });
    await fireEvent.scroll(grid);
    await waitFor(() => expect(activeRow(), 'the rows came later').toBe('row 40'));
  });

  it('is one tab stop and moves by key', async () => {
    const { grid, onopen } = show();
    expect(document.querySelectorAll('[tabindex="0"]')).toHaveLength(1);
    await fireEvent.keyDown(grid, { key: 'j' });
    await fireEvent.keyDown(grid, { key: 'j' });
    await fireEvent.keyDown(grid, { key: 'ArrowDown' });
    await fireEvent.keyDown(grid, { key: 'k' });
    expect(activeRow()).toBe('row 1');
    expect(grid.getAttribute('aria-activedescendant')).toBe(document.querySelector('[aria-selected=true]')?.id);
    await fireEvent.keyDown(grid, { key: 'Enter' });
    expect(onopen).toHaveBeenCalledExactlyOnceWith(ROWS[1]);
  });

  it('moves from elsewhere too where it is the list of its panel, unless somebody types', async () => {
    const { grid, onopen } = show({ main: true });
    const [tick, field, button] = (['checkbox', 'text', 'button'] as const).map((type) => {
      const control = Object.assign(document.createElement('input'), { type });
      document.body.append(control);
      onTestFinished(() => control.remove());
      return control;
    });
    if (tick === undefined || field === undefined || button === undefined) throw new Error('three controls');
    tick.focus();
    await fireEvent.keyDown(tick, { key: 'j' });
    expect([activeRow(), document.activeElement]).toEqual(['row 0', grid]);
    await fireEvent.keyDown(document.body, { key: 'j' });
    expect(activeRow()).toBe('row 1');
    await fireEvent.keyDown(field, { key: 'j' });
    await fireEvent.keyDown(button, { key: 'Enter' });
    expect(onopen, 'a control keeps its own').not.toHaveBeenCalled();
    await fireEvent.keyDown(document.body, { key: 'Enter' });
    expect(onopen).toHaveBeenCalledExactlyOnceWith(ROWS[1]);
  });

  it('hands other keys on, with the row', async () => {
    const { grid, onkey } = show();
    await fireEvent.keyDown(grid, { key: 'j' });
    await fireEvent.keyDown(grid, { key: 't' });
    expect(onkey).toHaveBeenLastCalledWith(expect.objectContaining({ key: 't' }), ROWS[0]);
    await fireEvent.keyDown(grid, { key: 'k', ctrlKey: true });
    expect(onkey).toHaveBeenCalledTimes(1);
  });

  it('keeps the active row when the rows around it change', async () => {
    const { rerender } = render(DataGrid<Row>, { label: 'Rows', columns: [{ id: 'name', title: 'Name', width: '1fr' }], rows: ROWS, rowKey: (row: Row) => row.id, cell, selected: 2 });
    expect(activeRow()).toBe('row 2');
    await rerender({ rows: [{ id: 900, name: 'new' }, ...ROWS] });
    expect(activeRow()).toBe('row 2');
  });

  it('tells the rows that are selected from the one that is active', async () => {
    const { grid } = show({ chosen: (row: Row) => row.id === 1 || row.id === 3 });
    expect(grid.getAttribute('aria-multiselectable')).toBe('true');
    await fireEvent.keyDown(grid, { key: 'j' });
    expect([...document.querySelectorAll('[aria-selected=true]')].map((row) => row.textContent?.trim())).toEqual(['row 1', 'row 3']);
    expect(document.querySelector('[data-active]')?.textContent?.trim()).toBe('row 0');
    expect(grid.getAttribute('aria-activedescendant')).toBe(document.querySelector('[data-active]')?.id);
  });

  it('asks for more when the end is near', () => {
    const { onend } = show({ rows: ROWS.slice(0, 12) });
    expect(onend).toHaveBeenCalled();
  });

  it('asks once for one end, whatever the owner reads and changes to answer', async () => {
    const busy = new SvelteSet<string>();
    const onend = vi.fn(async () => {
      if (busy.has('page')) return;
      busy.add('page');
      await Promise.resolve();
      busy.delete('page');
    });
    show({ rows: ROWS.slice(0, 12), onend });
    for (let turn = 0; turn < 20; turn += 1) await tick();
    expect(onend).toHaveBeenCalledTimes(1);
  });
});
