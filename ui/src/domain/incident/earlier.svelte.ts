// Rows of which an answer brings the newest, and those before them as far as somebody asked for them.

import { untrack } from 'svelte';
import { PAGES_MAX } from '$ui/state/pages.svelte';
import { Work } from '$ui/state/work.svelte';

export interface Part<Row> {
  rows: readonly Row[];
  /** Where the rows before these begin; `null` when there are none. */
  earlier: string | null;
}

/** Rows that are held with a newer picture of their end, each once; `null` when the two do not meet. Oldest first. */
export function joined<Row>(held: readonly Row[], newest: readonly Row[], key: (row: Row) => string): readonly Row[] | null {
  const keys = newest.map(key);
  const [first] = keys;
  if (first === undefined) return null;
  // The longest end that fits: of rows that look alike none is doubled.
  for (let at = Math.max(0, held.length - keys.length); at < held.length; at += 1) {
    const end = held.slice(at);
    if (end.every((row, index) => key(row) === keys[index])) return [...held.slice(0, at), ...newest];
  }
  return null;
}

export class Earlier<Row> {
  rows = $state.raw<readonly Row[]>([]);
  readonly work = new Work();
  #cursor = $state<string | null>(null);
  readonly #fetch: (before: string) => Promise<Part<Row>>;
  readonly #key: (row: Row) => string;

  constructor(fetch: (before: string) => Promise<Part<Row>>, key: (row: Row) => string) {
    this.#fetch = fetch;
    this.#key = key;
  }

  /** Are there rows before those that are held? */
  get more(): boolean {
    return this.#cursor !== null;
  }

  /** No more are held: a list this long is printed or exported. */
  get full(): boolean {
    return this.more && this.rows.length >= PAGES_MAX;
  }

  /** What the answer brings now. Rows before it stay where both meet; else it begins anew. */
  take(part: Part<Row>): void {
    untrack(() => {
      const whole = this.rows.length > PAGES_MAX ? null : joined(this.rows, part.rows, this.#key);
      if (whole === null || whole.length === part.rows.length) this.#cursor = part.earlier;
      this.rows = whole ?? part.rows;
    });
  }

  /** Fetches the rows before those that are held. */
  async fetch(): Promise<void> {
    const before = this.#cursor;
    if (before === null || this.full) return;
    await this.work.run(async () => {
      const part = await this.#fetch(before);
      // It began anew meanwhile: these rows are before others.
      if (this.#cursor !== before) return;
      this.rows = [...part.rows, ...this.rows];
      this.#cursor = part.earlier;
    });
  }
}
