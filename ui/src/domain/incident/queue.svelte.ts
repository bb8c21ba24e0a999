// The rows of the queue: the first page is a live query, the pages after it are fetched as they are scrolled to and
// again whenever the first page has changed, so that the list is one state and not a patchwork.

import type { Incident, IncidentPage, IncidentPageRequest } from '$ui/generated/model';
import type { App } from '$ui/state/app.svelte';
import { normaliseError, type OperationError } from '$ui/state/error';

/** The row that is active after the list has changed: the same one, else the next that stayed, else the last before it. */
export function successor(before: readonly Incident[], after: readonly Incident[], number: number): number | null {
  const stayed = new Set(after.map((row) => row.number));
  if (stayed.has(number)) return number;
  const at = before.findIndex((row) => row.number === number);
  if (at < 0) return number;
  const next = before.slice(at + 1).find((row) => stayed.has(row.number)) ?? before.slice(0, at).findLast((row) => stayed.has(row.number));
  return next?.number ?? null;
}

/** Rows that are held at most: who looks further narrows the filter. */
export const QUEUE_MAX = 5_000;
/** Rows of a request that fetches again what is loaded; the most that a page may have. */
const AGAIN = 500;

export class Queue {
  rows = $state.raw<readonly Incident[]>([]);
  loadingMore = $state(false);
  moreError = $state.raw<OperationError | null>(null);
  readonly #app: App;
  #first: IncidentPage | undefined;
  #request: IncidentPageRequest | null = null;
  /** What tells this list from another. */
  #list = '';
  #later: readonly Incident[] = [];
  #next: string | null = null;
  /** Grows with every new first page; an answer to an older one is dropped. */
  #generation = 0;

  constructor(app: App) {
    this.#app = app;
  }

  /** Takes a first page, and what it is the first page of; `list` stays the same while a time in the request moves on. */
  async show(first: IncidentPage, request: IncidentPageRequest, list = JSON.stringify(request)): Promise<void> {
    if (first === this.#first) return;
    const sameList = this.#request !== null && list === this.#list;
    const deep = sameList ? this.#later.length : 0;
    this.#generation += 1;
    this.#first = first;
    this.#request = request;
    this.#list = list;
    this.#next = first.next;
    this.moreError = null;
    this.loadingMore = false;
    if (!sameList) this.#later = [];
    this.#join();
    if (deep > 0) await this.#reload(deep);
  }

  /** There are more, and no more are held. */
  get full(): boolean {
    return this.rows.length >= QUEUE_MAX && this.#next !== null;
  }

  /** Fetches the next page, if there is one and none is on its way. */
  async more(): Promise<void> {
    const request = this.#request;
    if (this.loadingMore || request === null || this.#next === null || this.moreError !== null || this.full) return;
    const generation = this.#generation;
    this.loadingMore = true;
    try {
      const page = await this.#app.read('incident_page', { ...request, after: this.#next });
      if (generation !== this.#generation) return;
      this.#later = [...this.#later, ...page.rows];
      this.#next = page.next;
      this.#join();
    } catch (thrown) {
      if (generation === this.#generation) this.moreError = normaliseError(thrown);
    } finally {
      if (generation === this.#generation) this.loadingMore = false;
    }
  }

  async #reload(depth: number): Promise<void> {
    const request = this.#request;
    const generation = this.#generation;
    let rows: Incident[] = [];
    let next = this.#next;
    if (request === null) return;
    try {
      while (next !== null && rows.length < depth) {
        const page: IncidentPage = await this.#app.read('incident_page', { ...request, after: next, limit: AGAIN });
        if (generation !== this.#generation) return;
        rows = [...rows, ...page.rows];
        next = page.next;
      }
      this.#later = rows;
      this.#next = next;
      this.#join();
    } catch (thrown) {
      if (generation === this.#generation) this.moreError = normaliseError(thrown);
    }
  }

  /** One list; a row that moved between pages while they were fetched is shown once. */
  #join(): void {
    const seen = new Set<string>();
    this.rows = [...(this.#first?.rows ?? []), ...this.#later].filter((row) => {
      if (seen.has(row.id)) return false;
      seen.add(row.id);
      return true;
    });
  }

  /** The number of the row that takes the place of `number` when it leaves: the next one, else the one before. */
  neighbour(number: number): number | null {
    const index = this.rows.findIndex((row) => row.number === number);
    if (index < 0) return null;
    return (this.rows[index + 1] ?? this.rows[index - 1])?.number ?? null;
  }

  /** The number `step` rows away from `number`. */
  beside(number: number, step: 1 | -1): number | null {
    const index = this.rows.findIndex((row) => row.number === number);
    return index < 0 ? (this.rows[0]?.number ?? null) : (this.rows[index + step]?.number ?? null);
  }
}
