import { describe, expect, it, vi } from 'vitest';
import { GlobalKeys } from './keys';

function keysAt() {
  let now = 0;
  const actions = { palette: vi.fn(), help: vi.fn(), rail: vi.fn(), refresh: vi.fn(), window: vi.fn(), print: vi.fn(), lock: vi.fn(), zoom: vi.fn((_step: number) => true), go: vi.fn((key: string) => key === 'i') };
  const keys = new GlobalKeys(actions, () => now);
  const press = (key: string, more: KeyboardEventInit & { target?: HTMLElement } = {}): boolean => {
    const event = new KeyboardEvent('keydown', { key, bubbles: true, ...more });
    let used = false;
    const target = more.target ?? document.body;
    target.addEventListener('keydown', (seen) => (used = keys.handle(seen as KeyboardEvent)), { once: true });
    target.dispatchEvent(event);
    return used;
  };
  return { actions, press, wait: (ms: number) => (now += ms) };
}

describe('GlobalKeys', () => {
  it('goes by g and a letter', () => {
    const { actions, press } = keysAt();
    expect(press('g')).toBe(true);
    expect(press('i')).toBe(true);
    expect(actions.go).toHaveBeenCalledExactlyOnceWith('i');
    expect(press('i'), 'the letter alone is somebody else’s').toBe(false);
  });

  it('forgets g after a while, and after a letter that leads nowhere', () => {
    const { actions, press, wait } = keysAt();
    press('g');
    wait(2_000);
    expect(press('i')).toBe(false);
    press('g');
    expect(press('x')).toBe(false);
    expect(press('i')).toBe(false);
    expect(actions.go).toHaveBeenCalledTimes(1);
  });

  it('leaves an open menu alone', () => {
    const { actions, press } = keysAt();
    const menu = document.createElement('div');
    // The double of the browser knows no popovers.
    vi.spyOn(document, 'querySelector').mockImplementation((selector) => (selector.includes('[popover]:popover-open') ? menu : null));
    expect(press('?')).toBe(false);
    expect(press('g')).toBe(false);
    vi.mocked(document.querySelector).mockRestore();
    expect(press('i'), 'no g was heard').toBe(false);
    expect(actions.help).not.toHaveBeenCalled();
    expect(press('?')).toBe(true);
  });

  it('leaves a person who types alone, but for the palette', () => {
    const { actions, press } = keysAt();
    const input = document.createElement('input');
    document.body.append(input);
    expect(press('?', { target: input })).toBe(false);
    expect(press('g', { target: input })).toBe(false);
    expect(press('k', { target: input, ctrlKey: true })).toBe(true);
    expect(actions.palette).toHaveBeenCalledOnce();
    expect(press('p', { ctrlKey: true }), 'a panel is printed from anywhere').toBe(true);
    expect(actions.print).toHaveBeenCalledOnce();
    input.remove();
  });

  it('zooms from anywhere, where the window does that', () => {
    const { actions, press } = keysAt();
    const input = document.createElement('input');
    document.body.append(input);
    for (const key of ['+', '=', '-', '0']) expect(press(key, { ctrlKey: true, target: input }), key).toBe(true);
    expect(actions.zoom.mock.calls).toEqual([[1], [1], [-1], [0]]);
    expect(press('-'), 'without Ctrl it is a letter').toBe(false);
    actions.zoom.mockReturnValue(false);
    expect(press('+', { ctrlKey: true }), 'a browser has its own').toBe(false);
    input.remove();
  });
});
