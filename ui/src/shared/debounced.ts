// What follows typing: done after a pause, and not at all once the place where a person typed is gone.

import { onDestroy } from 'svelte';

export interface Debounced {
  /** Begins the pause anew. */
  (): void;
  /** What waits is not done. */
  cancel(): void;
}

/** To be called while a component is set up. Each call of the returned function begins the pause anew. */
export function debounced(pauseMs: number, run: () => void): Debounced {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const cancel = (): void => clearTimeout(timer);
  onDestroy(cancel);
  const again = (): void => {
    cancel();
    timer = setTimeout(run, pauseMs);
  };
  return Object.assign(again, { cancel });
}
