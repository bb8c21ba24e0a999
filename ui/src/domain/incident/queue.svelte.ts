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
/** Rows of a request that fetches again what is loaded, or looks for one row; the most that a page may have. */
const AGAIN = 500;
/** So far down a row is looked for: what is loaded is fetched again with each change. */
export const REACH_MAX = 2_000;

export class Queue {
  rows = $state.raw<readonly Incident[]>([]);
  loadingMore = $state(false);
  moreError = $state.raw<OperationError | null>(null);
  /** Number of the incident that is in this queue, further down than it was looked for. */
  beyond = $state<number | null>(null);
  readonly #app: App;
  #first: IncidentPage | undefined;
  #request: IncidentPageRequest | null = null;
  /** What tells this list from another. */
  #list = '';
  #later: readonly Incident[] = [];
  #next: string | null = null;
  /** Grows with every new first page; an answer to an older one is dropped. */
  #generation = 0;
  /** Number of the incident whose row is looked for. */
  #sought: number | null = null;

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
    if (!sameList) {
      this.#later = [];
      this.#sought = null;
      this.beyond = null;
    }
    this.#join();
    if (deep > 0) await this.#reload(deep);
    await this.#seek();
  }

  /** There are more, and no more are held. */
  get full(): boolean {
    return this.rows.length >= QUEUE_MAX && this.#next !== null;
  }

  /** Fetches the next page, if there is one and none is on its way. */
  async more(): Promise<void> {
    await this.#fetch(this.#request?.limit ?? 0);
    await this.#seek();
  }

  /** Loads the rows down to that of an incident, if it is in this queue: who opened it from elsewhere sees where it stands, and goes on from there. */
  async reach(incident: Incident): Promise<void> {
    const { number } = incident;
    this.#sought = null;
    this.beyond = null;
    if (this.#next === null || this.#has(number)) return;
    const list = this.#list;
    if (!(await this.#lists(incident)) || list !== this.#list) return;
    this.#sought = number;
    await this.#seek();
  }

  #has(number: number): boolean {
    return this.rows.some((row) => row.number === number);
  }

  /** Does the filter find it? One request, by the instant at which it was opened, in place of all pages for nothing. */
  async #lists({ number, opened_at }: Incident): Promise<boolean> {
    if (this.#request === null) return false;
    const { filter } = this.#request;
    const at = new Date(opened_at).getTime();
    const { opened: asked } = filter;
    if (asked !== undefined && (at < new Date(asked.from).getTime() || at >= new Date(asked.to).getTime())) return false;
    // Times are told to the microsecond, and a period ends before its end.
    const opened = { from: new Date(at).toISOString(), to: new Date(at + 1).toISOString() };
    try {
      const page = await this.#app.read('incident_page', { ...this.#request, filter: { ...filter, opened }, after: null });
      return page.rows.some((row) => row.number === number);
    } catch {
      // It is named above the rows in any case.
      return false;
    }
  }

  /** Goes on down to the row that is looked for; whoever fetches something else meanwhile goes on when it is there. */
  async #seek(): Promise<void> {
    while (this.#sought !== null && !this.#has(this.#sought)) {
      if (this.#next === null || this.rows.length >= REACH_MAX) {
        this.beyond = this.#next === null ? null : this.#sought;
        break;
      }
      if (!(await this.#fetch(AGAIN))) return;
    }
    this.#sought = null;
  }

  /** Fetches the next rows; are they there? */
  async #fetch(limit: number): Promise<boolean> {
    const request = this.#request;
    if (this.loadingMore || request === null || this.#next === null || this.moreError !== null || this.full) return false;
    const generation = this.#generation;
    this.loadingMore = true;
    try {
      const page = await this.#app.read('incident_page', { ...request, after: this.#next, limit });
      if (generation !== this.#generation) return false;
      this.#later = [...this.#later, ...page.rows];
      this.#next = page.next;
      this.#join();
      return true;
    } catch (thrown) {
      if (generation === this.#generation) this.moreError = normaliseError(thrown);
      return false;
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

  /** The number `step` rows away from `number`: of one that is further down, upwards, that of the last row. */
  beside(number: number, step: 1 | -1): number | null {
    const index = this.rows.findIndex((row) => row.number === number);
    if (index < 0 && number === this.beyond && step === -1) return this.rows.at(-1)?.number ?? null;
    return index < 0 ? (this.rows[0]?.number ?? null) : (this.rows[index + step]?.number ?? null);
  }
}
