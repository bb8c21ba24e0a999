// happy-dom does not know these; the components need them to exist, tests that depend on them replace them.

import { cleanup } from '@testing-library/svelte';
import { afterEach } from 'vitest';

class Observer {
  observe(): void {}
  unobserve(): void {}
  disconnect(): void {}
}

globalThis.ResizeObserver ??= Observer as unknown as typeof ResizeObserver;

// What one test has drawn is not there for the next.
afterEach(() => cleanup());
