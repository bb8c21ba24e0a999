// The menu of the columns of Events: inside the window whatever its size, and at hand for the keyboard.

import { fireEvent, render } from '@testing-library/svelte';
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { hook } from '$ui/test-hook';
import ColumnChoice from './column-choice.svelte';

const { innerWidth: width, innerHeight: height } = globalThis;

afterEach(() => Object.assign(globalThis, { innerWidth: width, innerHeight: height }));

/** Opens it, as a browser does; its button is where `box` says. */
async function opened(box: { left: number; bottom: number }): Promise<HTMLElement> {
  render(ColumnChoice, { chosen: [] });
  const button = hook('event-columns');
  button.getBoundingClientRect = () => ({ ...new DOMRect(), ...box });
  await fireEvent.click(button);
  const list = document.querySelector<HTMLElement>('[popover]');
  if (list === null) throw new Error('no menu');
  list.dispatchEvent(Object.assign(new Event('toggle'), { newState: 'open' }));
  return list;
}

describe('the columns of Events', () => {
  it('stand inside the window, also when that becomes smaller', async () => {
    Object.assign(globalThis, { innerWidth: 1280, innerHeight: 800 });
    const list = await opened({ left: 1200, bottom: 90 });
    expect([list.style.left, list.style.top, list.style.maxHeight]).toEqual(['1060px', '94px', '698px']);
    Object.assign(globalThis, { innerWidth: 900, innerHeight: 400 });
    globalThis.dispatchEvent(new Event('resize'));
    expect([list.style.left, list.style.maxHeight], 'after the change').toEqual(['680px', '298px']);
    expect(readFileSync('src/domain/event/column-choice.svelte', 'utf8'), 'as high as its rows').toMatch(/height: max-content;[^]*overflow-y: auto;[^]*align-content: start;/);
  });

  it('have the focus when they are opened', async () => {
    await opened({ left: 100, bottom: 90 });
    expect(document.activeElement).toBe(hook('event-column'));
    expect(hook('event-columns').title, 'no tip over the first of them').toBe('');
  });
});
