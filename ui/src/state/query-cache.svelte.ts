// Answers of read operations, kept by operation and request, re-fetched when a tag that they provide has changed.

import { untrack } from 'svelte';
import { SvelteMap } from 'svelte/reactivity';
import type { Tag } from '$ui/generated/model';
import { operations } from '$ui/generated/operations';
import type { OperationName, Platform, Reply, Request } from '$ui/platform/types';
import { normaliseError, type OperationError } from './error';

/** Answers that nobody looks at; the oldest is forgotten above this. */
const IDLE_MAX = 40;

/** One answer and how it stands. */
export class QueryEntry<Name extends OperationName> {
  readonly name: Name;
  readonly request: Request<Name>;
  /** The newest good answer; replaced whole. */
  data = $state.raw<Reply<Name> | undefined>(undefined);
  /** Why the newest attempt failed; `null` after a success. */
  error = $state.raw<OperationError | null>(null);
  fetching = $state(false);
  /** When `data` was received, Unix milliseconds. */
  updatedAt = $state<number | null>(null);
  /** Components that show it. */
  watchers = 0;
  stale = true;
  #again = false;
  /** Grows when what was asked before is of another workspace: its answer is dropped. */
  #generation = 0;
  readonly #platform: Platform;

  constructor(platform: Platform, name: Name, request: Request<Name>) {
    this.#platform = platform;
    this.name = name;
    this.request = request;
  }

  /** Fetches; a call during a fetch makes exactly one more fetch after it. */
  async fetch(): Promise<void> {
    if (this.fetching) {
      this.#again = true;
      return;
    }
    this.fetching = true;
    try {
      do {
        this.#again = false;
        this.stale = false;
        await this.#attempt();
      } while (this.#again);
    } finally {
      this.fetching = false;
    }
  }

  async #attempt(): Promise<void> {
    const generation = this.#generation;
    try {
      const data = await this.#platform.call(this.name, this.request);
      if (generation !== this.#generation) return;
      // What says the same as before is not drawn anew.
      if (this.data === undefined || JSON.stringify(data) !== JSON.stringify(this.data)) this.data = data;
      this.error = null;
      this.updatedAt = Date.now();
    } catch (thrown) {
      if (generation === this.#generation) this.error = normaliseError(thrown);
    }
  }

  /** Forgets the answer, and the one that is on its way. */
  forget(): void {
    this.#generation += 1;
    this.data = undefined;
    this.error = null;
    this.updatedAt = null;
    this.stale = true;
  }
}

export class QueryCache {
  readonly #platform: Platform;
  // Keys keep their order of last use, so the first idle one is the oldest.
  readonly #entries = new Map<string, QueryEntry<OperationName>>();
  readonly #revisions = new SvelteMap<Tag, number>();

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  /** The entry of an operation and request; made if there is none. Does not fetch. */
  entry<Name extends OperationName>(name: Name, request: Request<Name>): QueryEntry<Name> {
    const key = `${name} ${JSON.stringify(request)}`;
    const known = this.#entries.get(key);
    const entry = known ?? new QueryEntry<OperationName>(this.#platform, name, request);
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    this.#forgetIdle();
    // Sound: the key begins with the name, so the entry under it was made for that name.
    return entry as unknown as QueryEntry<Name>;
  }

  /** Begins to show an entry; the returned function ends it. */
  watch<Name extends OperationName>(entry: QueryEntry<Name>): () => void {
    entry.watchers += 1;
    if (entry.stale) void entry.fetch();
    return () => {
      entry.watchers -= 1;
    };
  }

  /** Something changed: what is shown is fetched again, the rest when it is next shown. */
  invalidate(tags: readonly Tag[]): void {
    untrack(() => {
      for (const tag of tags) this.#revisions.set(tag, (this.#revisions.get(tag) ?? 0) + 1);
    });
    for (const entry of this.#entries.values()) {
      if (!operations[entry.name].provides.some((tag) => tags.includes(tag))) continue;
      entry.stale = true;
      if (entry.watchers > 0) void entry.fetch();
    }
  }

  /** How often something of a tag has changed: for who wants to know that it did, and asks for nothing yet. */
  revision(tag: Tag): number {
    return this.#revisions.get(tag) ?? 0;
  }

  /** Forgets every answer that is not shown and refetches the rest: another workspace was opened. */
  reset(): void {
    for (const [key, entry] of this.#entries) {
      if (entry.watchers === 0) this.#entries.delete(key);
      else {
        entry.forget();
        void entry.fetch();
      }
    }
  }

  /** The first workspace was opened: what was answered without one is about this machine, and stays with what is typed beside it while all of it is asked for again. */
  opened(): void {
    for (const [key, entry] of this.#entries) {
      if (entry.watchers === 0) this.#entries.delete(key);
      else {
        if (entry.data === undefined) entry.forget();
        void entry.fetch();
      }
    }
  }

  /** Something is shown that has no answer yet, neither a good one nor a fault. */
  get waits(): boolean {
    return [...this.#entries.values()].some((entry) => entry.watchers > 0 && entry.data === undefined && entry.error === null);
  }

  get size(): number {
    return this.#entries.size;
  }

  #forgetIdle(): void {
    let idle = 0;
    for (const entry of this.#entries.values()) if (entry.watchers === 0) idle += 1;
    for (const [key, entry] of this.#entries) {
      if (idle <= IDLE_MAX) return;
      if (entry.watchers === 0) {
        this.#entries.delete(key);
        idle -= 1;
      }
    }
  }
}
