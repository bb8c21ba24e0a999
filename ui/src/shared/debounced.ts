// What follows typing: done after a pause, and not at all once the place where a person typed is gone.

import { onDestroy } from 'svelte';

/** To be called while a component is set up. Each call of the returned function begins the pause anew. */
export function debounced(pauseMs: number, run: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  onDestroy(() => clearTimeout(timer));
  return () => {
    clearTimeout(timer);
    timer = setTimeout(run, pauseMs);
  };
}
