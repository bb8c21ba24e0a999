import { fireEvent, render, screen } from '@testing-library/svelte';
import { describe, expect, it, vi } from 'vitest';
import type { Command } from './match';
import Palette from './palette.svelte';

function show() {
  const ran: string[] = [];
  const command = (id: string, label: string): Command => ({ id, label, group: 'Go to', run: () => ran.push(id) });
  const onclose = vi.fn();
  render(Palette, {
    open: true,
    commands: [command('overview', 'Overview'), command('incidents', 'Incidents'), command('audit', 'Audit trail')],
    dynamic: (typed: string) => (/^\d+$/.test(typed) ? [command(`incident-${typed}`, `Open incident #${typed}`)] : []),
    onclose,
  });
  return { input: screen.getByRole('combobox'), ran, onclose };
}

function chosen(): string | undefined {
  return document.querySelector('[aria-selected=true]')?.textContent?.trim();
}

describe('Palette', () => {
  it('chooses by arrow and runs by Enter', async () => {
    const { input, ran, onclose } = show();
    expect(chosen()).toBe('Overview');
    await fireEvent.keyDown(input, { key: 'ArrowDown' });
    expect(chosen()).toBe('Incidents');
    await fireEvent.keyDown(input, { key: 'ArrowUp' });
    await fireEvent.keyDown(input, { key: 'ArrowUp' });
    expect(chosen(), 'goes around').toBe('Audit trail');
    await fireEvent.keyDown(input, { key: 'Enter' });
    expect(ran).toEqual(['audit']);
    expect(onclose).toHaveBeenCalledOnce();
  });

  it('filters, and says when nothing is found', async () => {
    const { input, ran } = show();
    await fireEvent.input(input, { target: { value: 'trail' } });
    expect(screen.getAllByRole('option').map((option) => option.textContent?.trim())).toEqual(['Audit trail']);
    await fireEvent.input(input, { target: { value: 'nonsense' } });
    expect(screen.queryAllByRole('option')).toHaveLength(0);
    await fireEvent.keyDown(input, { key: 'Enter' });
    expect(ran).toEqual([]);
  });

  it('goes to an incident by its number', async () => {
    const { input, ran } = show();
    await fireEvent.input(input, { target: { value: '42' } });
    await fireEvent.keyDown(input, { key: 'Enter' });
    expect(ran).toEqual(['incident-42']);
  });
});
