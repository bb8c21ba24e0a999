// The keyboard of the queue: what a key does, given what is selected and what is open.

import { ACTION_KEYS, UNDO_KEY, type IncidentActions } from '$ui/domain/incident/actions.svelte';
import type { BulkKind } from '$ui/domain/incident/bulk';
import type { Judged } from '$ui/domain/incident/causes';
import { pressIncidentKey } from '$ui/domain/incident/incident-menu';
import type { Selection } from '$ui/domain/incident/selection.svelte';
import type { Incident } from '$ui/generated/model';
import { isTyping, keysTaken } from '$ui/shared/typing';
import type { App } from '$ui/state/app.svelte';
import { normaliseError } from '$ui/state/error';

/** What the keys move in; read at each key. */
export interface QueuePlace {
  /** Number of the incident that is open. */
  opened: () => number | null;
  /** The incident that is open or active, if it is in the queue. */
  current: () => Incident | undefined;
  searchBox: () => HTMLInputElement | undefined;
  /** Closes the incident that is open. */
  close: () => void;
  /** To the search box; closes what covers it. */
  search: () => void;
  /** From the search box to the rows that it found. */
  rows: () => void;
  /** Opens the next incident, or the one before. */
  step: (by: 1 | -1) => void;
  /** Do the keys mean all that is selected? */
  many: () => boolean;
  bulk: (kind: BulkKind, judged?: Judged) => void;
  /** In a window of its own. */
  aside: (number: number) => void;
  merge: () => void;
}

export class QueueKeys {
  readonly #app: App;
  readonly #selection: Selection;
  readonly #actions: IncidentActions;
  readonly #place: QueuePlace;
  readonly #bulk: Readonly<Record<string, () => void>>;

  constructor(app: App, selection: Selection, actions: IncidentActions, place: QueuePlace) {
    this.#app = app;
    this.#selection = selection;
    this.#actions = actions;
    this.#place = place;
    this.#bulk = {
      t: () => place.bulk('take'),
      a: () => place.bulk('assign'),
      r: () => place.bulk('resolve'),
      f: () => place.bulk('resolve', 'false_positive'),
      n: () => place.bulk('note'),
      s: () => place.bulk('suppress'),
      m: () => place.merge(),
    };
  }

  handle(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (keysTaken()) return;
    const inSearch = event.target === this.#place.searchBox();
    if (event.key === 'Escape') this.#escape(inSearch);
    else if (event.key === 'Enter' && inSearch) this.#place.rows();
    else if (!isTyping(event.target) && this.#used(event.key)) event.preventDefault();
  }

  /** One step out at a time. */
  #escape(inSearch: boolean): void {
    if (inSearch) this.#place.rows();
    else if (this.#place.opened() !== null) this.#place.close();
    else if (this.#selection.size > 0) this.#selection.clear();
    else this.#selection.outcome = null;
  }

  #used(key: string): boolean {
    if (this.#selected(key)) return true;
    if (key === '/') {
      this.#place.search();
      return true;
    }
    if (this.#place.opened() !== null && (key === 'j' || key === 'k')) {
      this.#place.step(key === 'j' ? 1 : -1);
      return true;
    }
    if (key === 'w') {
      const number = this.#place.opened() ?? this.#place.current()?.number;
      if (number !== undefined) this.#place.aside(number);
      return true;
    }
    if (!ACTION_KEYS.some((known) => known === key)) return false;
    void this.#act(key);
    return true;
  }

  /** Keys of the selection; true if it was one. */
  #selected(key: string): boolean {
    const selection = this.#selection;
    if (key === 'x') {
      const incident = this.#place.current();
      if (incident !== undefined) selection.toggle(incident);
      return true;
    }
    // What was done to one is newer than what the bar tells: that takes the offer away.
    if (key === UNDO_KEY && this.#app.toasts.press(UNDO_KEY)) return true;
    // Only while the bar offers it: a new selection covers what the last action came to.
    if (key === UNDO_KEY && selection.size === 0 && selection.outcome !== null) {
      void selection.undo();
      return true;
    }
    const run = !this.#place.many() || !this.#app.may('incident_bulk') ? undefined : this.#bulk[key];
    run?.();
    return run !== undefined;
  }

  async #act(key: string): Promise<void> {
    const opened = this.#place.opened();
    try {
      // An incident that is open need not be in the queue that is shown.
      const incident = this.#place.current() ?? (opened === null ? undefined : (await this.#app.read('incident_detail', { number: opened })).incident);
      if (incident !== undefined) pressIncidentKey(this.#app, this.#actions, incident, key);
    } catch (thrown) {
      this.#app.toasts.failed('incident_detail', normaliseError(thrown));
    }
  }
}
