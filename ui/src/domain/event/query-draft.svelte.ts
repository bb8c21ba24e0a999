// A query as it is being typed: what is wrong with it and where, and what could come next.

import type { EventFacet, EventField, QueryFault } from '$ui/generated/model';
import type { App } from '$ui/state/app.svelte';
import { normaliseError, type OperationError } from '$ui/state/error';
import { prefs, zoned } from '$ui/state/prefs.svelte';
import { period } from '$ui/state/period.svelte';
import { debounced } from '$ui/shared/debounced';
import { stamp } from '$ui/shared/format/time';
import { beginning, narrowed, quote, tokenAt, unfinished, type Token } from './query';

const PAUSE_MS = 250;
/** A word that is being written is no fault yet; after this pause it is. */
const SETTLE_MS = 1_200;
const MOST = 9;
/** Fields of which the frequent values are counted; can those be asked for that begin with what was typed? */
const COUNTED: Readonly<Record<string, boolean>> = { type: true, ip: true, country: true, user: true, session: true, endpoint: true, path: true, resource: true, action: true, agent: true, status: false };
/** Days that are offered for a time. */
const DAYS = 7;
const DAY_MS = 86_400_000;

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
  /** What the rows that are shown have beyond the fields with a name of their own: `details.order.id`, with its values. */
  seen = $state.raw<ReadonlyMap<string, readonly string[]>>(new Map());
  /** Values of the field that somebody types, beyond those that the list shows most. */
  #values = $state.raw<EventFacet | null>(null);
  readonly #app: App;
  #asked = 0;
  /** What stands there is not searched for yet: it is half a value, or was not looked at. */
  #waits = false;
  /** What is wrong where somebody is writing: not said before they pause. */
  #held: QueryFault | null = null;
  #commit: (query: string) => void = () => undefined;
  readonly #pause = debounced(PAUSE_MS, () => void this.#look(true));
  /** While there is a list of how it could go on, nobody is done with it. */
  readonly #settle = debounced(SETTLE_MS, () => {
    if (this.suggestions.length === 0) this.settle();
  });

  /** To be called while a component is set up. */
  constructor(app: App) {
    this.#app = app;
  }

  readonly suggestions = $derived.by((): Suggestion[] => {
    const token = tokenAt(this.text, this.caret);
    const begins = (word: string): boolean => word.toLowerCase().startsWith(token.typed.toLowerCase()) && word !== token.typed;
    if (token.field === null) {
      if (token.typed === '') return [];
      return this.#names().filter(begins).slice(0, MOST).map((name) => ({ insert: `${name}:`, label: name, field: true, n: null }));
    }
    return this.#valuesOf(token.field)
      .filter((one) => begins(one.value))
      .slice(0, MOST)
      .map((one) => ({ insert: quote(one.value), label: one.value, field: false, n: one.n }));
  });

  /** The fields that can be asked for. */
  #names(): string[] {
    return [...this.fields.map((field) => field.name), ...this.seen.keys()];
  }

  /** Is it the name of a field, or of what stands in the details of events that are not shown? */
  #isField(word: string): boolean {
    return /^details\../i.test(word) || this.#names().some((name) => name.toLowerCase() === word.toLowerCase());
  }

  /** The values of a field that are known, the most frequent first. */
  #valuesOf(name: string): { value: string; n: number | null }[] {
    const asked = this.#values;
    const known = new Map<string, number | null>();
    for (const one of asked?.field === name ? asked.values : []) known.set(one.value, one.n);
    for (const one of this.facets.find((facet) => facet.field === name)?.values ?? []) if (!known.has(one.value)) known.set(one.value, one.n);
    const others = [...(this.fields.find((field) => field.name === name)?.values ?? []), ...(this.seen.get(name) ?? []), ...(name === 'at' ? days() : [])];
    for (const value of others) if (!known.has(value)) known.set(value, null);
    return [...known].map(([value, n]) => ({ value, n })).toSorted((a, b) => (b.n ?? -1) - (a.n ?? -1));
  }

  /** The text with a suggestion in place of what has been typed, and where the caret stands then. */
  complete(suggestion: Suggestion): number {
    const token = tokenAt(this.text, this.caret);
    const rest = this.text.slice(token.to);
    const insert = suggestion.field || /^[ )]/.test(rest) ? suggestion.insert : `${suggestion.insert} `;
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
    this.#waits = true;
    this.#pause();
    this.#settle();
  }

  /** The caret went somewhere else: what could stand there is found out. */
  async moved(caret: number): Promise<void> {
    this.caret = caret;
    await this.#completing(this.#asked);
  }

  /** Nobody writes on: what was held back is said. */
  settle(): void {
    this.#settle.cancel();
    if (this.#held !== null) this.fault = this.#held;
    this.#held = null;
  }

  /** Somebody is done with the box: what stands there is searched for. */
  leave(): void {
    this.settle();
    if (this.#waits) void this.#look(false);
  }

  /** Nobody types here any more: what is on its way leads nobody back. */
  stop(): void {
    this.#waits = false;
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
      const half = writing && (reply.fault === null || held) && (await this.#completing(mine));
      if (mine !== this.#asked || reply.fault !== null) return;
      if (half) return;
      this.#waits = false;
      this.applied = query;
      this.#commit(query);
    } catch (thrown) {
      if (mine === this.#asked) this.error = normaliseError(thrown);
    }
  }

  /** Is what is typed at the caret a field without a value, or the beginning of fields or of values and no value itself? A search for it would find nothing. */
  async #completing(mine: number): Promise<boolean> {
    const token = tokenAt(this.text, this.caret);
    const { field, typed } = token;
    // After an operator stands a bound, with a wildcard a pattern: both are meant as they are.
    if (field === null) return this.suggestions.length > 0 || this.#isField(typed);
    // After the colon of a field there is no value yet.
    if (typed === '') return this.text[token.from - 1] === ':';
    if (/[\\*"]/.test(typed) || /[<>=]/.test(this.text[token.from - 1] ?? '')) return false;
    if (field in COUNTED) await this.#ask(field, token, mine);
    return this.suggestions.length > 0 && !this.#valuesOf(field).some((one) => one.value === typed);
  }

  /** Asks for the values that begin with what is typed, first among what the rest of the query finds. */
  async #ask(field: string, token: Token, mine: number): Promise<void> {
    const { typed } = token;
    const capital = typed.slice(0, 1).toUpperCase() + typed.slice(1);
    // Agents begin with a capital letter, which nobody writes: Mozilla.
    const values = field === 'agent' && capital !== typed ? `(${beginning(typed)} ${beginning(capital)})` : beginning(typed);
    const begin = COUNTED[field] === true ? `${field}:${values}` : `${field}:*`;
    const before = this.text.slice(0, token.start).replace(/-$/, '');
    const rest = `${before}${this.text.slice(token.end)}`.trim();
    for (const query of rest === '' ? [begin] : [narrowed(rest, begin, false), begin]) {
      try {
        const { facets } = await this.#app.read('event_figures', { period: period.current, query, ...zoned(), buckets: 1, facets: [field] });
        if (mine === this.#asked) this.#values = facets.find((facet) => facet.field === field) ?? null;
        return;
      } catch {
        // Without its end the query is none, or nothing answers: the values that the list shows are offered.
      }
    }
  }
}

/** The last days, the newest first, as the window writes them. */
function days(): string[] {
  return Array.from({ length: DAYS }, (_, ago) => stamp(Date.now() - ago * DAY_MS, prefs.zone, 'day'));
}
