import { fireEvent, render, screen } from '@testing-library/svelte';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import Menu from './menu.svelte';

const run = vi.fn();
const hidePopover = vi.fn();

beforeEach(async () => {
  run.mockReset();
  hidePopover.mockReset();
  render(Menu, { label: 'Actions', items: [{ label: 'Assign', run }, { label: 'Block', run, disabled: true }, { label: 'Note', run }, { label: 'Close', run }] });
  const menu = screen.getByRole('menu');
  // The double of the browser knows no popovers.
  menu.hidePopover = hidePopover;
  await fireEvent(menu, Object.assign(new Event('toggle'), { newState: 'open' }));
});

async function press(key: string): Promise<string | null> {
  await fireEvent.keyDown(document.activeElement ?? document.body, { key });
  return document.activeElement?.textContent ?? null;
}

describe('a menu', () => {
  it('is moved in by keys, past what cannot be chosen', async () => {
    await vi.waitFor(() => expect(document.activeElement?.textContent).toBe('Assign'));
    expect(await press('ArrowDown')).toBe('Note');
    expect(await press('End')).toBe('Close');
    expect(await press('ArrowDown')).toBe('Assign');
    expect(await press('ArrowUp')).toBe('Close');
    expect(await press('Home')).toBe('Assign');
  });

  it('is closed by Tab, which goes on from its button', async () => {
    await vi.waitFor(() => expect(document.activeElement?.textContent).toBe('Assign'));
    await press('Tab');
    expect(document.activeElement).toBe(screen.getByRole('button', { name: 'Actions' }));
    expect(hidePopover).toHaveBeenCalledOnce();
  });
});
