// Pages of events, fetched as they are scrolled to. A picture of one moment: new events do not move it.

import type { Event, EventPageRequest, Period } from '$ui/generated/model';
import type { App } from '$ui/state/app.svelte';
import { normaliseError, type OperationError } from '$ui/state/error';

const PAGE = 200;
/** Rows that are held at most: who reads further narrows the search. */
export const ROWS_MAX = 10_000;

export class EventRows {
  rows = $state.raw<readonly Event[]>([]);
  /** `null` before the first page. */
  complete = $state<boolean | null>(null);
  error = $state.raw<OperationError | null>(null);
  loading = $state(false);
  readonly #app: App;
  readonly #request: Omit<EventPageRequest, 'after' | 'limit'>;
  #next: string | null = null;

  constructor(app: App, request: Omit<EventPageRequest, 'after' | 'limit'>) {
    this.#app = app;
    this.#request = request;
  }

  /** Fetches the next page; the first one to begin with. A later page that failed is fetched again by `retry` only. */
  async more(): Promise<void> {
    if (this.loading || this.complete === true || this.rows.length >= ROWS_MAX || (this.error !== null && this.rows.length > 0)) return;
    this.loading = true;
    this.error = null;
    try {
      const page = await this.#app.read('event_page', { ...this.#request, after: this.#next, limit: PAGE });
      this.rows = [...this.rows, ...page.rows];
      this.#next = page.next;
      this.complete = page.next === null;
    } catch (thrown) {
      this.error = normaliseError(thrown);
    } finally {
      this.loading = false;
    }
  }

  /** Those of the newest events that are not here; they can only be missing at the beginning. */
  fresh(newest: readonly Event[]): Event[] {
    const known = new Set(this.rows.slice(0, 2 * PAGE).map((row) => row.id));
    return newest.filter((row) => !known.has(row.id));
  }

  /** Is there an event that is newer than all of these, in a period that ends at `until`? Asks for one row. */
  async outdated(until: Period): Promise<boolean> {
    // Clocks are wrong: what says that it is of tomorrow is not what others are newer than.
    const newest = this.rows.find((row) => new Date(row.at).getTime() < new Date(until.to).getTime());
    const page = await this.#app.read('event_page', { ...this.#request, period: { from: newest?.at ?? until.from, to: until.to }, after: null, limit: 1 });
    return this.fresh(page.rows).length > 0;
  }

  /** Puts newer events in front; how many of these were new. */
  prepend(newest: readonly Event[]): number {
    const fresh = this.fresh(newest);
    if (fresh.length > 0) this.rows = [...fresh, ...this.rows].slice(0, ROWS_MAX);
    return fresh.length;
  }

  /** Fetches the page that failed again. */
  async retry(): Promise<void> {
    if (!this.loading) this.error = null;
    await this.more();
  }
}
