// Whether events have come that a list does not show because it stands still. The live feed says that something was stored;
// whether a search finds it is asked then, for one row, and no more once the answer is yes.

import { untrack } from 'svelte';
import type { App } from '$ui/state/app.svelte';
import { period } from '$ui/state/period.svelte';
import type { EventRows } from './event-rows.svelte';

/** Between two questions, in milliseconds: most of what is stored may be nothing that is searched for. */
export const LOOK_MS = 5_000;

export class Newer {
  /** There are events that the list does not show. */
  there = $state(false);
  readonly #app: App;
  /** The list while it stands still. */
  readonly #still: () => EventRows | null;
  /** How much had been stored when it was last looked. */
  #seen = 0;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** To be called while a component is set up. */
  constructor(app: App, still: () => EventRows | null) {
    this.#app = app;
    this.#still = still;
    $effect(() => {
      const list = still();
      const stored = app.queries.revision('events');
      untrack(() => {
        if (list === null) this.there = false;
      });
      if (list === null || list.complete === null || this.there || stored === this.#seen) return;
      this.#timer ??= setTimeout(() => void this.#look(), Math.max(0, this.#lookedAt + LOOK_MS - Date.now()));
    });
    $effect(() => () => clearTimeout(this.#timer));
  }

  /** A new list is being made: it shows what there is. */
  begin(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.there = false;
    this.#seen = untrack(() => this.#app.queries.revision('events'));
  }

  async #look(): Promise<void> {
    this.#timer = undefined;
    const list = this.#still();
    if (list === null || list.complete === null || this.there) return;
    this.#seen = this.#app.queries.revision('events');
    this.#lookedAt = Date.now();
    try {
      const there = await list.outdated(period.bounded);
      if (list === this.#still()) this.there = there;
    } catch {
      // What does not answer is told elsewhere; the next signal has it looked again.
    }
  }
}
