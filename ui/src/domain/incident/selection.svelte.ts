// What is selected in the queue, and what was last done to all of it: one action at a time, one undo.

import type { BulkAction, BulkOutcome, Incident, IncidentBulk, IncidentFilter, IncidentPage } from '$ui/generated/model';
import { t } from '$ui/i18n';
import { count } from '$ui/shared/format/number';
import type { App } from '$ui/state/app.svelte';
import { OperationError } from '$ui/state/error';
import { Work } from '$ui/state/work.svelte';

/** The most rows that one page of incidents holds. */
const PAGE = 500;

/** Everything that a filter describes, as it was counted when the person said "all". */
interface Everything {
  filter: IncidentFilter;
  total: number;
  /** Taken out again, by number. */
  except: ReadonlySet<number>;
}

/** What an action came to. */
export interface BulkDone extends BulkOutcome {
  action: BulkAction;
}

export class Selection {
  /** Selected one by one, by number. */
  marked = $state.raw<ReadonlyMap<number, Incident>>(new Map());
  everything = $state.raw<Everything | null>(null);
  /** What the last action came to; until it is dismissed or undone. */
  outcome = $state.raw<BulkDone | null>(null);
  readonly work = new Work();
  readonly size = $derived(this.everything === null ? this.marked.size : this.everything.total - this.everything.except.size);
  readonly #app: App;

  constructor(app: App) {
    this.#app = app;
  }

  has(number: number): boolean {
    return this.everything === null ? this.marked.has(number) : !this.everything.except.has(number);
  }

  /** Selects, or takes out; after "all" as well. */
  toggle(incident: Incident): void {
    if (this.everything === null) {
      const next = new Map(this.marked);
      if (!next.delete(incident.number)) next.set(incident.number, incident);
      this.marked = next;
      return;
    }
    const except = new Set(this.everything.except);
    if (!except.delete(incident.number)) except.add(incident.number);
    this.everything = except.size >= this.everything.total ? null : { ...this.everything, except };
  }

  /** One that is no longer where it was selected. */
  drop(number: number): void {
    if (this.everything === null) {
      if (!this.marked.has(number)) return;
      const next = new Map(this.marked);
      next.delete(number);
      this.marked = next;
      return;
    }
    const except = new Set(this.everything.except);
    except.delete(number);
    const total = this.everything.total - 1;
    this.everything = total <= except.size ? null : { ...this.everything, total, except };
  }

  selectAll(filter: IncidentFilter, total: number): void {
    this.everything = { filter, total, except: new Set() };
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
    if (this.work.busy || this.size === 0) return false;
    const outcome = await this.work.run(async () =>
      this.#app.change(
        'incident_bulk',
        { ...(await this.#target()), action },
        { what: t('bulk.what', { what: t(`bulk.do.${action.do}`), n: count(this.size) }) },
      ),
    );
    // There is no form to say it beside: the bar has room for buttons only.
    if (this.work.fault !== null) this.#app.toasts.failed('incident_bulk', this.work.fault);
    if (outcome === null) return false;
    this.outcome = { ...outcome, action };
    this.clear();
    return true;
  }

  /** What the action is for. "All but these" is sent as numbers: a filter cannot leave one out. */
  async #target(): Promise<Omit<IncidentBulk, 'action'>> {
    const all = this.everything;
    if (all === null) return { numbers: [...this.marked.keys()], filter: null, expected: null };
    if (all.except.size === 0) return { numbers: [], filter: all.filter, expected: all.total };
    const found = new Set<number>();
    let after: string | null = null;
    do {
      const page: IncidentPage = await this.#app.read('incident_page', { filter: all.filter, order: 'newest', after, limit: PAGE });
      for (const row of page.rows) found.add(row.number);
      after = page.next;
    } while (after !== null && found.size <= all.total);
    // The same promise as with a filter: it is done to those that the person saw, or to none.
    if (found.size !== all.total) throw new OperationError('conflict', t('bulk.moved', { n: count(found.size), was: count(all.total) }));
    return { numbers: [...found].filter((number) => !all.except.has(number)), filter: null, expected: null };
  }

  /** Takes the last action back, once. */
  async undo(): Promise<void> {
    const token = this.outcome?.undo ?? null;
    if (token === null) return;
    const done = await this.work.run(() => this.#app.change('incident_undo', { undo: token }, { what: t('bulk.undo.what') }));
    if (done === null) return;
    this.outcome = null;
    this.#app.toasts.done(t('bulk.undone', { n: count(done.changed.length) }));
  }
}
