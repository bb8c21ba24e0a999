// Rows that are fetched page by page, as far as a person wants them. A picture of one moment: what is new does not move it.

import { normaliseError, type OperationError } from './error';

export interface PageOf<Row> {
  rows: readonly Row[];
  /** Where the next page begins; `null` after the last one. */
  next: string | null;
}

/** Rows that are held at most: a list this long is not read to its end, it is narrowed. */
export const PAGES_MAX = 2_000;

export class Pages<Row> {
  rows = $state.raw<readonly Row[]>([]);
  /** Are these all? `null` before the first page. */
  complete = $state<boolean | null>(null);
  error = $state.raw<OperationError | null>(null);
  loading = $state(false);
  readonly #fetch: (after: string | null) => Promise<PageOf<Row>>;
  #next: string | null = null;

  constructor(fetch: (after: string | null) => Promise<PageOf<Row>>) {
    this.#fetch = fetch;
  }

  /** There are more, and no more are held. */
  get full(): boolean {
    return this.complete === false && this.rows.length >= PAGES_MAX;
  }

  /** Fetches the next page, the first one to begin with; one that failed, again. */
  async more(): Promise<void> {
    if (this.loading || this.complete === true || this.full) return;
    this.loading = true;
    this.error = null;
    try {
      const page = await this.#fetch(this.#next);
      this.rows = [...this.rows, ...page.rows];
      this.#next = page.next;
      this.complete = page.next === null;
    } catch (thrown) {
      this.error = normaliseError(thrown);
    } finally {
      this.loading = false;
    }
  }
}
