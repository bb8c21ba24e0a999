// A query as it is being typed: what is wrong with it and where, and what could come next.

import type { EventFacet, EventField, QueryFault } from '$ui/generated/model';
import type { App } from '$ui/state/app.svelte';
import { normaliseError, type OperationError } from '$ui/state/error';
import { zoned } from '$ui/state/prefs.svelte';
import { debounced } from '$ui/shared/debounced';
import { quote, tokenAt, unfinished } from './query';

const PAUSE_MS = 250;
/** A word that is being written is no fault yet; after this pause it is. */
const SETTLE_MS = 1_200;
const MOST = 9;

export interface Suggestion {
  /** What is put in place of what has been typed. */
  insert: string;
  label: string;
  /** A field: a value comes next. */
  field: boolean;
  /** How often, of a value that was found. */
  n: number | null;
}

export class QueryDraft {
  text = $state('');
  caret = $state(0);
  fault = $state.raw<QueryFault | null>(null);
  error = $state.raw<OperationError | null>(null);
  /** The newest text that is a query: what the list shows. */
  applied = $state<string | null>(null);
  fields = $state.raw<readonly EventField[]>([]);
  facets = $state.raw<readonly EventFacet[]>([]);
  readonly #app: App;
  #asked = 0;
  /** What is wrong where somebody is writing: not said before they pause. */
  #held: QueryFault | null = null;
  #commit: (query: string) => void = () => undefined;
  readonly #pause = debounced(PAUSE_MS, () => void this.#look(true));
  readonly #settle = debounced(SETTLE_MS, () => this.settle());

  /** To be called while a component is set up. */
  constructor(app: App) {
    this.#app = app;
  }

  readonly suggestions = $derived.by((): Suggestion[] => {
    const token = tokenAt(this.text, this.caret);
    const begins = (word: string): boolean => word.toLowerCase().startsWith(token.typed.toLowerCase()) && word !== token.typed;
    if (token.field === null) {
      if (token.typed === '') return [];
      return this.fields.filter((field) => begins(field.name)).slice(0, MOST).map((field) => ({ insert: `${field.name}:`, label: field.name, field: true, n: null }));
    }
    const found = this.facets.find((facet) => facet.field === token.field)?.values ?? [];
    const known = (this.fields.find((field) => field.name === token.field)?.values ?? []).filter((value) => !found.some((one) => one.value === value));
    return [...found.map((one) => ({ value: one.value, n: one.n as number | null })), ...known.map((value) => ({ value, n: null }))]
      .filter((one) => begins(one.value))
      .slice(0, MOST)
      .map((one) => ({ insert: quote(one.value), label: one.value, field: false, n: one.n }));
  });

  /** The text with a suggestion in place of what has been typed, and where the caret stands then. */
  complete(suggestion: Suggestion): number {
    const token = tokenAt(this.text, this.caret);
    const rest = this.text.slice(token.to);
    const insert = suggestion.field || rest.startsWith(' ') ? suggestion.insert : `${suggestion.insert} `;
    this.text = this.text.slice(0, token.from) + insert + rest;
    this.caret = token.from + insert.length;
    return this.caret;
  }

  /** The text with the suggestion of the backend in place of what is wrong. */
  mend(): void {
    const { fault } = this;
    if (fault === null || fault.suggestion === null) return;
    const chars = Array.from(this.text);
    chars.splice(fault.at, fault.length, fault.suggestion);
    this.text = chars.join('');
    this.caret = this.text.length;
  }

  /** Somebody types: looked at after a pause. */
  typed(oncommit: (query: string) => void): void {
    this.#commit = oncommit;
    this.#pause();
    this.#settle();
  }

  /** Nobody writes on: what was held back is said. */
  settle(): void {
    this.#settle.cancel();
    if (this.#held !== null) this.fault = this.#held;
    this.#held = null;
  }

  /** Nobody types here any more: what is on its way leads nobody back. */
  stop(): void {
    this.#pause.cancel();
    this.#settle.cancel();
    this.#asked += 1;
  }

  /** Looks at the text now and says what is wrong with it; the newest wins. */
  look(oncommit: (query: string) => void): Promise<void> {
    this.#commit = oncommit;
    this.#settle.cancel();
    return this.#look(false);
  }

  async #look(writing: boolean): Promise<void> {
    this.#pause.cancel();
    this.#asked += 1;
    const mine = this.#asked;
    const query = this.text.trim();
    try {
      const reply = await this.#app.read('event_query', { query, ...zoned() });
      if (mine !== this.#asked) return;
      this.error = null;
      this.fields = reply.fields;
      const held = writing && reply.fault !== null && unfinished(this.text, this.caret, reply.fault);
      this.#held = held ? reply.fault : null;
      this.fault = held ? null : reply.fault;
      if (reply.fault !== null) return;
      this.applied = query;
      this.#commit(query);
    } catch (thrown) {
      if (mine === this.#asked) this.error = normaliseError(thrown);
    }
  }
}
