import { fireEvent, render, screen, waitFor } from '@testing-library/svelte';
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

  it('puts what was found about a number in the place of what was typed', async () => {
    const command = (id: string, label: string): Command => ({ id, label, group: 'Go to', run: () => undefined });
    render(Palette, { open: true, commands: [], dynamic: () => [command('incident', 'Open incident #203')], search: () => Promise.resolve([command('incident', 'There is no incident #203'), command('rule', 'Rule 203')]), onclose: vi.fn() });
    const options = (): (string | undefined)[] => screen.getAllByRole('option').map((option) => option.textContent?.trim());
    await fireEvent.input(screen.getByRole('combobox'), { target: { value: '203' } });
    expect(options()).toEqual(['Open incident #203']);
    await waitFor(() => expect(options()).toEqual(['There is no incident #203', 'Rule 203']));
  });

  it('has each heading once, wherever its entries come from', async () => {
    const command = (id: string, group: string): Command => ({ id, label: `${id} 7`, group, run: () => undefined });
    render(Palette, { open: true, commands: [command('rules', 'Go to')], dynamic: () => [command('incident', 'Incidents')], search: () => Promise.resolve([command('similar', 'Incidents')]), onclose: vi.fn() });
    await fireEvent.input(screen.getByRole('combobox'), { target: { value: '7' } });
    await waitFor(() => expect(screen.getAllByRole('option').map((option) => option.textContent?.trim())).toEqual(['incident 7', 'similar 7', 'rules 7']));
    expect([...document.querySelectorAll('.group')].map((heading) => heading.textContent)).toEqual(['Incidents', 'Go to']);
  });

  it('marks an incident by its severity: a shape, and the word for who does not see it', async () => {
    const incident: Command = { id: 'incident-7', label: '#7 SQL injection', severity: 'critical', group: 'Incidents', run: () => undefined };
    render(Palette, { open: true, commands: [], dynamic: () => [incident, { id: 'search', label: 'Search', group: 'Incidents', run: () => undefined }], onclose: vi.fn() });
    const [first, other] = screen.getAllByRole('option');
    expect(first?.querySelector('[data-severity=critical] svg')).not.toBeNull();
    expect(screen.getByRole('option', { name: /^Critical\s*#7 SQL injection$/ })).toBe(first);
    expect(other?.querySelector('[data-severity]')).toBeNull();
  });

  it('goes to an incident by its number', async () => {
    const { input, ran } = show();
    await fireEvent.input(input, { target: { value: '42' } });
    await fireEvent.keyDown(input, { key: 'Enter' });
    expect(ran).toEqual(['incident-42']);
  });
});
