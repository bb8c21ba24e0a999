// The records that have been loaded. The trail only grows, so what is loaded stays true: a fresh first page is put before
// it, unless so much is new that there may be a gap between them.

import type { AuditFilter, AuditPage, AuditRecord } from '$ui/generated/model';
import type { App } from '$ui/state/app.svelte';
import { normaliseError, type OperationError } from '$ui/state/error';

export const PAGE = 200;
/** Records that are held at most: who looks further narrows the search. */
export const TRAIL_MAX = 10_000;

export class Trail {
  rows = $state.raw<readonly AuditRecord[]>([]);
  loading = $state(false);
  error = $state.raw<OperationError | null>(null);
  readonly #app: App;
  #filter = '';
  #next: number | null = null;
  /** Grows when the list begins anew; an answer to an older list is dropped. */
  #generation = 0;

  constructor(app: App) {
    this.#app = app;
  }

  /** Takes the first page of a filter. */
  show(page: AuditPage, filter: AuditFilter): void {
    const key = JSON.stringify(filter);
    const oldest = page.rows.at(-1)?.seq;
    const newest = this.rows[0]?.seq;
    const joins = key === this.#filter && newest !== undefined && (page.next === null || (oldest !== undefined && oldest <= newest));
    this.error = null;
    if (joins) {
      this.#take([...page.rows.filter((row) => row.seq > newest), ...this.rows]);
      return;
    }
    this.#generation += 1;
    this.#filter = key;
    this.#next = page.next;
    this.loading = false;
    this.#take(page.rows);
  }

  /** There are older ones, and no more are held. */
  get full(): boolean {
    return this.rows.length >= TRAIL_MAX && this.#next !== null;
  }

  /** What falls off at the end is fetched again from there. */
  #take(rows: readonly AuditRecord[]): void {
    this.rows = rows.slice(0, TRAIL_MAX);
    const last = this.rows.at(-1);
    if (rows.length > TRAIL_MAX && last !== undefined) this.#next = last.seq;
  }

  /** Fetches older records, if there are any and none are on their way. */
  async more(filter: AuditFilter): Promise<void> {
    if (this.loading || this.#next === null || this.error !== null || this.full) return;
    const generation = this.#generation;
    this.loading = true;
    try {
      const page = await this.#app.read('audit_page', { filter, before: this.#next, limit: PAGE });
      if (generation !== this.#generation) return;
      this.#next = page.next;
      this.#take([...this.rows, ...page.rows]);
    } catch (thrown) {
      if (generation === this.#generation) this.error = normaliseError(thrown);
    } finally {
      if (generation === this.#generation) this.loading = false;
    }
  }
}
