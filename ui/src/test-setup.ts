// happy-dom does not know these; the components need them to exist, tests that depend on them replace them.

import { cleanup, configure } from '@testing-library/svelte';
import { afterEach, beforeAll, beforeEach } from 'vitest';
import { closeBlock } from './domain/block/block-request.svelte';
import { closeContain } from './domain/contain/contain-request.svelte';
import { closeEvents } from './domain/event/events-request.svelte';
import { closeSuppress } from './domain/suppress/suppress-request.svelte';
import { overlays } from './shell/overlays.svelte';
import { clock } from './state/clock.svelte';
import { prefs } from './state/prefs.svelte';

class Observer {
  observe(): void {}
  unobserve(): void {}
  disconnect(): void {}
}

globalThis.ResizeObserver ??= Observer as unknown as typeof ResizeObserver;

// What one test has drawn is not there for the next, and what one file has stored not for the next file.
afterEach(() => cleanup());
// Nobody starts the clock of the window here; it would stand where the first of all files was loaded.
beforeEach(() => {
  clock.now = Date.now();
});
beforeAll(() => {
  // Files share their modules, so what one has folded out or asked for would be there in the next.
  overlays.close();
  for (const close of [closeBlock, closeContain, closeEvents, closeSuppress]) close();
  Object.assign(prefs, { theme: 'dark', zone: 'local', rail: 'wide', trust: 'closed' });
  localStorage.clear();
  location.hash = '';
});

// A canvas that can be drawn on and keeps nothing: what a chart draws is looked at in pictures, not here.
const drawing = new Proxy(
  {},
  {
    get: (_target, name) => (name === 'measureText' ? () => ({ width: 0 }) : () => undefined),
    set: () => true,
  },
);
HTMLCanvasElement.prototype.getContext = (() => drawing) as unknown as HTMLCanvasElement['getContext'];
// The same for its paths: every method is there and does nothing.
const outline: unknown = function Outline() {
  return drawing;
};
globalThis.Path2D ??= outline as typeof Path2D;

// A wait ends with its condition; the limit is for a machine that does much else.
configure({ asyncUtilTimeout: 10_000 });
