// How many incidents each view of the queue shows now. A count costs what a page with its facets costs, and there are as
// many views as a person saved: they are counted one after another, and at most once in a while, however much changes.

import type { App } from '$ui/state/app.svelte';
import { formatFilter, parseFilter, requested } from './filter';

export type ViewQuery = Readonly<Record<string, string>>;

/** A round of counts begins no sooner than this after the one before, in milliseconds. */
const EVERY_MS = 5_000;

function keyOf(query: ViewQuery): string {
  return JSON.stringify(formatFilter(parseFilter(query)));
}

export class ViewCounts {
  #counts = $state.raw<ReadonlyMap<string, number>>(new Map());
  readonly #app: App;
  #views: readonly ViewQuery[] = [];
  readonly #asked = new Set<string>();
  #begun = Number.NEGATIVE_INFINITY;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #counting = false;
  #again = false;
  #stopped = false;

  constructor(app: App) {
    this.#app = app;
  }

  /** `undefined` while it is not known. */
  of(query: ViewQuery): number | undefined {
    return this.#counts.get(keyOf(query));
  }

  /** Incidents or views may have changed. */
  look(views: readonly ViewQuery[]): void {
    this.#views = views;
    if (this.#counting) {
      this.#again = true;
      return;
    }
    const added = views.some((view) => !this.#asked.has(keyOf(view)));
    const wait = added ? 0 : Math.max(0, this.#begun + EVERY_MS - Date.now());
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#count(), wait);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #count(): Promise<void> {
    this.#counting = true;
    this.#again = false;
    this.#begun = Date.now();
    for (const view of this.#views) {
      const key = keyOf(view);
      this.#asked.add(key);
      const next = new Map(this.#counts);
      try {
        const page = await this.#app.read('incident_page', { filter: requested(parseFilter(view), () => Date.now()), order: 'newest', after: null, limit: 1 });
        next.set(key, page.total);
      } catch {
        // No number rather than an old one; what failed is said by the queue beside it.
        next.delete(key);
      }
      if (this.#stopped) return;
      this.#counts = next;
    }
    this.#counting = false;
    if (this.#again) this.look(this.#views);
  }
}
