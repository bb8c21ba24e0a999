// What the Events panel looks at: the search in the address, the period when it was asked, and the rows.

import { untrack } from 'svelte';
import type { EventExport, Period } from '$ui/generated/model';
import { EventRows } from '$ui/domain/event/event-rows.svelte';
import { fromParams } from '$ui/domain/event/query';
import { Newer } from '$ui/domain/event/newer.svelte';
import { QueryDraft } from '$ui/domain/event/query-draft.svelte';
import { searched } from '$ui/domain/event/searched.svelte';
import { t } from '$ui/i18n';
import { count } from '$ui/shared/format/number';
import type { ListPlace } from '$ui/shared/grid/types';
import type { App } from '$ui/state/app.svelte';
import { listPlace } from '$ui/state/list-place';
import { period } from '$ui/state/period.svelte';
import { prefs, zoned } from '$ui/state/prefs.svelte';
import { router } from '$ui/state/router.svelte';

/** New events at a time; more than that in one step is fetched by a new search. */
const NEWEST = 200;
/** How long a period that goes on is, in milliseconds: less than the 20 years that one may have. */
const OPEN_MS = 7_300 * 86_400_000;

export class EventsSearch {
  list = $state.raw<EventRows | null>(null);
  /** The period as it was when it was asked for: a rolling one goes on, and the list must not jump. */
  shown = $state.raw<Period | null>(null);
  selected = $state<string | null>(null);
  follow = $state(false);
  attop = $state(true);
  /** New events that wait until somebody scrolls back up. */
  waiting = $state(0);
  #again = $state(0);
  /** Up to when rows came after the search was made; the figures are of what the list shows. */
  #until = $state.raw<string | null>(null);
  /** Of the list: a search that is made anew begins at its top. */
  readonly place: ListPlace;
  readonly #app: App;
  readonly draft: QueryDraft;
  /** What has come since, while the list stands still. */
  readonly newer: Newer;
  /** The newest rows, asked for again whenever something was stored; `null` unless it follows. */
  readonly newest = $derived.by(() => this.#newest());
  readonly figures = $derived.by(() => (this.draft.applied === null || this.list === null ? null : { period: this.#counted(), query: this.draft.applied, ...zoned(), buckets: 60 }));

  constructor(app: App) {
    this.#app = app;
    this.draft = new QueryDraft(app);
    this.newer = new Newer(app, () => (this.follow ? null : this.list));
    this.place = listPlace(app, 'events', () => [this.draft.applied, period.preset, period.preset === 'custom' ? period.current : null]);
    $effect(() => () => this.draft.stop());
    $effect(() => this.#route(router.current.query));
    $effect(() => {
      const query = this.draft.applied;
      // A rolling period is looked at once; a press on another one, or an own one, is a new search.
      void [period.preset, period.preset === 'custom' ? period.current : null, this.#again, app.refreshes, prefs.zone];
      if (query !== null) untrack(() => this.#begin(query));
    });
  }

  again(): void {
    this.#again += 1;
  }

  /** What was brought by the newest answer. */
  take(rows: EventRows['rows']): void {
    const { list } = this;
    if (list === null || list.complete === null || !this.follow) return;
    if (this.attop) {
      list.prepend(rows);
      this.waiting = 0;
    } else this.waiting = list.fresh(rows).length;
  }

  /** Has the figures count what was put on top of the list since; is that another question than before? */
  recount(): boolean {
    const newest = this.list?.rows[0];
    if (newest === undefined || this.shown === null) return false;
    // A period ends before its end.
    const until = new Date(new Date(newest.at).getTime() + 1).toISOString();
    if (until <= (this.#until ?? this.shown.to)) return false;
    this.#until = until;
    return true;
  }

  /** The period of what the list shows: with what was put on top of it since. */
  #counted(): Period | null {
    const [shown, until] = [this.shown, this.#until];
    return shown === null || until === null || until <= shown.to ? shown : { from: shown.from, to: until };
  }

  /** A valid query was typed. */
  commit(query: string): void {
    searched.query = query;
    if (router.current.query['q'] !== query) router.replace('events', null, query === '' ? {} : { q: query });
  }

  search(query: string): void {
    this.draft.text = query;
    void this.draft.look((good) => this.commit(good));
  }

  async export(format: EventExport['format'], columns: string[]): Promise<void> {
    const query = this.draft.applied ?? '';
    const path = await this.#app.platform.pickSaveFile({ title: t('search.export.title'), defaultName: `events.${format}`, types: [{ name: format === 'csv' ? 'CSV' : 'JSON lines', extensions: [format] }] });
    if (path === null) return;
    const done = await this.#app.change('event_export', { period: this.shown, query, ...zoned(), format, columns, path }, { what: t('search.export.what') });
    if (done === null) return;
    const words = { n: count(done.rows), path: done.path };
    this.#app.toasts.done(t(done.complete ? 'search.export.done' : 'search.export.most', words));
  }

  /** The address says what to search; without a word the search of before comes back. */
  #route(params: Readonly<Record<string, string>>): void {
    const wanted = params['q'] ?? fromParams(params) ?? (Object.keys(params).length === 0 && this.draft.applied === null ? searched.query : '');
    untrack(() => {
      if (this.draft.applied !== null && wanted === this.draft.applied) return;
      this.search(wanted);
    });
  }

  #request(query: string) {
    return { category: [], severity: [], outcome: null, entity: null, text: null, query: query === '' ? null : query, ...zoned() };
  }

  #newest() {
    const query = this.draft.applied;
    if (!this.follow || query === null || this.list === null) return null;
    const { shown } = this;
    const period = shown === null ? null : { from: shown.from, to: new Date(new Date(shown.from).getTime() + OPEN_MS).toISOString() };
    return { ...this.#request(query), period, after: null, limit: NEWEST };
  }

  #begin(query: string): void {
    if (this.list !== null) this.place.forget();
    this.shown = period.current;
    this.selected = null;
    this.waiting = 0;
    this.#until = null;
    this.newer.begin();
    const next = new EventRows(this.#app, { ...this.#request(query), period: this.shown });
    this.list = next;
    void next.more();
  }
}
