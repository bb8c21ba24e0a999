// A query as it is being typed: what is wrong with it and where, and what could come next.

import type { EventFacet, EventField, QueryFault } from '$ui/generated/model';
import type { App } from '$ui/state/app.svelte';
import { normaliseError, type OperationError } from '$ui/state/error';
import { quote, tokenAt } from './query';

const PAUSE_MS = 250;
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
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asked = 0;

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
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.look(oncommit), PAUSE_MS);
  }

  /** Nobody types here any more: what is on its way leads nobody back. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#asked += 1;
  }

  /** Looks at the text now; the newest wins. */
  async look(oncommit: (query: string) => void): Promise<void> {
    clearTimeout(this.#timer);
    this.#asked += 1;
    const mine = this.#asked;
    const query = this.text.trim();
    try {
      const reply = await this.#app.read('event_query', { query });
      if (mine !== this.#asked) return;
      this.error = null;
      this.fields = reply.fields;
      this.fault = reply.fault;
      if (reply.fault !== null) return;
      this.applied = query;
      oncommit(query);
    } catch (thrown) {
      if (mine === this.#asked) this.error = normaliseError(thrown);
    }
  }
}
