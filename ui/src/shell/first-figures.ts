// When the first figures are on the screen: what the shell does beside the page waits for that.

import type { App } from '$ui/state/app.svelte';

/** Pause between two looks. Whether the code of a panel is there is no state that tells by itself, so it is looked for; this ends within seconds of the start. */
const PAUSE_MS = 50;
/** After this long it is not waited any more: a server may never answer. */
const MOST_MS = 3_000;

/** Calls `then` two frames after the first answers are there: they are drawn by now. `there` tells whether the code of what asks for them is. The returned function ends it. */
export function whenDrawn(app: App, there: () => boolean, then: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let over = false;
  const ready = (): boolean => app.live.status !== undefined && app.live.opening === null && there() && !app.queries.waits;
  const frames = (left: number): void => {
    requestAnimationFrame(() => {
      if (over) return;
      if (left > 1) frames(left - 1);
      else then();
    });
  };
  const look = (waited: number): void => {
    if (waited >= MOST_MS || ready()) frames(2);
    // Nothing announces that all of it is there: look again a little later.
    else timer = setTimeout(() => look(waited + PAUSE_MS), PAUSE_MS);
  };
  look(0);
  return () => {
    over = true;
    clearTimeout(timer);
  };
}
