// What is selected in the queue, and what was last done to all of it: one action at a time, one undo.

import type { BulkAction, BulkOutcome, Incident, IncidentFilter } from '$ui/generated/model';
import { t } from '$ui/i18n';
import { count } from '$ui/shared/format/number';
import type { App } from '$ui/state/app.svelte';

/** Everything that a filter describes, as it was counted when the person said "all". */
interface Everything {
  filter: IncidentFilter;
  total: number;
}

export class Selection {
  /** Selected one by one, by number. */
  marked = $state.raw<ReadonlyMap<number, Incident>>(new Map());
  everything = $state.raw<Everything | null>(null);
  /** What the last action came to; until it is dismissed or undone. */
  outcome = $state.raw<BulkOutcome | null>(null);
  busy = $state(false);
  readonly size = $derived(this.everything?.total ?? this.marked.size);
  readonly #app: App;

  constructor(app: App) {
    this.#app = app;
  }

  has(number: number): boolean {
    return this.everything !== null || this.marked.has(number);
  }

  /** Selects, or takes out. After "all" it begins anew with this one. */
  toggle(incident: Incident): void {
    const next = new Map(this.everything === null ? this.marked : []);
    this.everything = null;
    if (!next.delete(incident.number)) next.set(incident.number, incident);
    this.marked = next;
  }

  selectAll(filter: IncidentFilter, total: number): void {
    this.everything = { filter, total };
    this.marked = new Map();
  }

  clear(): void {
    this.everything = null;
    this.marked = new Map();
  }

  /** The incidents of a merge: only those that were selected one by one. */
  get incidents(): Incident[] {
    return [...this.marked.values()];
  }

  /** Does one thing to all that is selected; true when it was done. */
  async send(action: BulkAction): Promise<boolean> {
    if (this.busy || this.size === 0) return false;
    this.busy = true;
    const all = this.everything;
    try {
      const outcome = await this.#app.change(
        'incident_bulk',
        all === null ? { numbers: [...this.marked.keys()], filter: null, expected: null, action } : { numbers: [], filter: all.filter, expected: all.total, action },
        { what: t('bulk.what', { what: t(`bulk.do.${action.do}`), n: count(this.size) }) },
      );
      if (outcome === null) return false;
      this.outcome = outcome;
      this.clear();
      return true;
    } finally {
      this.busy = false;
    }
  }

  /** Takes the last action back, once. */
  async undo(): Promise<void> {
    const token = this.outcome?.undo ?? null;
    if (token === null || this.busy) return;
    this.busy = true;
    try {
      const done = await this.#app.change('incident_undo', { undo: token }, { what: t('bulk.undo.what') });
      if (done === null) return;
      this.outcome = null;
      this.#app.toasts.done(t('bulk.undone', { n: count(done.changed.length) }));
    } finally {
      this.busy = false;
    }
  }
}
