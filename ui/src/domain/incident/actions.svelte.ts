// What can be done to an incident, from a key, a button or a menu. The dialogs are drawn once, by the panel.

import type { BlockStanding, ContainKind, EntityCount, Incident, PauseReason, Severity, Status, Verdict, VerdictCause } from '$ui/generated/model';
import { t, word } from '$ui/i18n';
import type { App } from '$ui/state/app.svelte';
import { normaliseError } from '$ui/state/error';
import { prefs } from '$ui/state/prefs.svelte';
import { isExtended, openBlock, openUnblock } from '../block/block-request.svelte';
import { openContain } from '../contain/contain-request.svelte';
import { openSuppress } from '../suppress/suppress-request.svelte';
import { incidentMarkdown } from './markdown';
import { isActive, nextStatuses } from './tones';

export type Asked =
  | { kind: 'assign'; incident: Incident }
  | { kind: 'note'; incident: Incident }
  | { kind: 'resolve'; incident: Incident; verdict: Verdict | null }
  | { kind: 'status'; incident: Incident; status: Status }
  | { kind: 'escalate'; incident: Incident }
  | { kind: 'handover'; incident: Incident }
  | { kind: 'pause'; incident: Incident }
  | { kind: 'split'; incident: Incident }
  /** Several: into one of them. One: into another one. */
  | { kind: 'merge'; incidents: readonly Incident[] };

/** What a resolution says besides the verdict. */
export interface Judgement {
  verdict: Verdict;
  cause: VerdictCause | null;
  reason: string;
  /** Number of the incident that is kept, of a duplicate. */
  duplicateOf: number | null;
}

const CONTAINED: Readonly<Record<string, ContainKind>> = { session: 'session', user: 'user', ip: 'limit' };

/** The keys of the actions on one incident. */
export const ACTION_KEYS = ['t', 'a', 'r', 'f', 'n', 'b', 'e', 'm', 's'] as const;

/** Takes back what was done last. */
export const UNDO_KEY = 'u';

export class IncidentActions {
  /** The dialog that is open. */
  asked = $state.raw<Asked | null>(null);
  /** The incident whose page is shown, as it stands now. */
  shown = $state.raw<Incident | null>(null);
  /** How the address stands that a block of it would be of, once that is known. */
  standing = $state.raw<BlockStanding | null>(null);
  readonly #app: App;
  readonly #underway = new Set<string>();
  readonly #onResolved: (incident: Incident) => void;
  readonly #onMerged: ((numbers: readonly number[]) => void) | undefined;

  /**
   * `onResolved` hears of an incident that was resolved, before the queue is fetched again;
   * `onMerged` of those that were merged into another one.
   */
  constructor(app: App, onResolved: (incident: Incident) => void, onMerged?: (numbers: readonly number[]) => void) {
    this.#app = app;
    this.#onResolved = onResolved;
    this.#onMerged = onMerged;
  }

  close(): void {
    this.asked = null;
  }

  take(incident: Incident): Promise<void> {
    const n = incident.number;
    return this.#once(`take ${n}`, async () => {
      const done = await this.#app.change('incident_take', { number: n }, { what: t('take.what', { n }) });
      if (done !== null) this.#done(t('take.done', { n }), done);
    });
  }

  /** A key that is pressed twice does it once: what has no dialog is on its way already. */
  async #once(what: string, work: () => Promise<unknown>): Promise<void> {
    if (this.#underway.has(what)) return;
    this.#underway.add(what);
    try {
      await work();
    } finally {
      this.#underway.delete(what);
    }
  }

  /** Says what was done to one incident, and offers to take it back: with the undo of bulk actions. */
  #done(text: string, { number, version }: Incident): void {
    this.#app.toasts.done(text, { label: t('bulk.undo'), key: UNDO_KEY, run: () => void this.#undo(number, version) });
  }

  async #undo(number: number, version: number): Promise<void> {
    const done = await this.#app.change('incident_undo', { undo: `${number}@${version}` }, { what: t('undo.what', { n: number }) });
    if (done !== null) this.#app.toasts.done(t('undo.done', { n: number }));
  }

  /** Something newer was done, or the person went elsewhere: the key would not mean this any more. */
  forget(): void {
    this.#app.toasts.withdraw(UNDO_KEY);
  }

  assign(incident: Incident): void {
    this.asked = { kind: 'assign', incident };
  }

  note(incident: Incident): void {
    this.asked = { kind: 'note', incident };
  }

  resolve(incident: Incident, verdict: Verdict | null = null): void {
    if (isActive(incident.status)) this.asked = { kind: 'resolve', incident, verdict };
  }

  /** Reopening needs a reason and asks for it; the other moves are made at once. */
  async setStatus(incident: Incident, status: Status): Promise<void> {
    if (!nextStatuses(incident.status).includes(status)) return;
    if (status === 'reopened') this.asked = { kind: 'status', incident, status };
    else await this.#once(`status ${incident.number}`, () => this.sendStatus(incident, status, null));
  }

  escalate(incident: Incident): void {
    if (isActive(incident.status)) this.asked = { kind: 'escalate', incident };
  }

  handOver(incident: Incident): void {
    if (isActive(incident.status)) this.asked = { kind: 'handover', incident };
  }

  /** Stops the clocks, after asking why; or lets them run again. */
  async pauseOrResume(incident: Incident): Promise<void> {
    if (!isActive(incident.status)) return;
    if (incident.paused === undefined) {
      this.asked = { kind: 'pause', incident };
      return;
    }
    const n = incident.number;
    await this.#once(`resume ${n}`, () => this.#app.change('incident_resume', { number: n }, { what: t('resume.what', { n }), done: t('resume.done', { n }) }));
  }

  split(incident: Incident): void {
    if (incident.merged_into !== undefined) this.asked = { kind: 'split', incident };
  }

  merge(incidents: readonly Incident[]): void {
    if (incidents.length > 0) this.asked = { kind: 'merge', incidents };
  }

  /** Asks for a suppression of what opened the incident. */
  async suppress(incident: Incident): Promise<void> {
    try {
      const detail = await this.#app.read('incident_detail', { number: incident.number });
      const rules = [...new Set(detail.why.map((hit) => hit.newest.rule_id))];
      openSuppress({ rules, family: incident.family, entity: incident.entity, incident: incident.number });
    } catch (thrown) {
      this.#app.toasts.failed('incident_detail', normaliseError(thrown));
    }
  }

  /** Asks for a containment; of the incident's own entity where that can be contained. */
  contain(incident: Incident, kind: ContainKind, entities: readonly EntityCount[]): void {
    const known = entities.flatMap(({ entity }) => {
      const of = CONTAINED[entity.kind];
      return of === undefined ? [] : [{ kind: of, target: entity.value }];
    });
    openContain({ kind, target: known.find((one) => one.kind === kind)?.target ?? '', incident: incident.number, known });
  }

  /** Would a block take the place of one that there is? */
  extends({ number }: Incident): boolean {
    return this.shown?.number === number && isExtended(this.standing);
  }

  /** Is there a block to take back? */
  holds({ number }: Incident): boolean {
    return this.shown?.number === number && this.standing !== null && this.standing.block !== null;
  }

  unblock(incident: Incident): void {
    const block = this.standing?.block ?? null;
    if (block !== null && this.holds(incident)) openUnblock(block);
  }

  /** Asks for a block: of the address that it is about, else of one that its events came from. */
  async block(incident: Incident): Promise<void> {
    if (incident.entity.kind === 'ip') {
      openBlock({ target: incident.entity.value, incident: incident.number });
      return;
    }
    const entry = this.#app.queries.entry('incident_detail', { number: incident.number });
    // What is not known is typed.
    if (entry.data === undefined) await entry.fetch();
    const known = (entry.data?.entities ?? []).flatMap(({ entity }) => (entity.kind === 'ip' ? [entity.value] : []));
    openBlock({ target: known[0] ?? '', incident: incident.number, known });
  }

  /** Puts the incident on the clipboard, as Markdown. */
  async copy(incident: Incident): Promise<void> {
    const entry = this.#app.queries.entry('incident_detail', { number: incident.number });
    // From its page it is there already, and the press is still what the clipboard answers to.
    if (entry.data === undefined) await entry.fetch();
    if (entry.data !== undefined) await this.#app.copy(incidentMarkdown(entry.data, prefs.zone));
    else if (entry.error !== null) this.#app.toasts.failed('incident_detail', entry.error);
  }

  /** Asks where to, and writes the incident's report there as PDF. */
  report(incident: Incident): Promise<void> {
    const n = incident.number;
    return this.#once(`report ${n}`, async () => {
      try {
        const title = t('incident.pdf.title', { n });
        const path = await this.#app.platform.pickSaveFile({ title, defaultName: `incident-${n}.pdf`, types: [{ name: t('incident.pdf.type'), extensions: ['pdf'] }] });
        if (path === null) return;
        // All of it: the first moment after its newest evidence is inside too.
        const to = Math.max(Date.now(), Date.parse(incident.last_seen) + 1_000);
        const period = { from: incident.first_seen, to: new Date(to).toISOString() };
        const request = { framework: 'incident', period, subject: String(n), files: [{ format: 'pdf' as const, path, replace: true }] };
        await this.#app.change('report_generate', request, { what: t('incident.pdf.what', { n }), done: t('incident.pdf.done', { n, path }) });
      } catch (thrown) {
        this.#app.toasts.failed('report_generate', normaliseError(thrown));
      }
    });
  }

  async sendStatus(incident: Incident, status: Status, reason: string | null): Promise<void> {
    const values = { n: incident.number, status: word('status', status) };
    const done = await this.#app.change(
      'incident_status_set',
      { number: incident.number, status, reason, version: incident.version },
      { what: t('status.what', values) },
    );
    if (done === null) return;
    this.close();
    this.#done(t('status.done', values), done);
  }

  async sendAssign(incident: Incident, assignee: string | null): Promise<void> {
    const values = { n: incident.number, who: assignee ?? t('incidents.nobody') };
    const done = await this.#app.change(
      'incident_assign',
      { number: incident.number, assignee, version: incident.version },
      { what: t('assign.what', values) },
    );
    if (done === null) return;
    this.close();
    this.#done(t('assign.done', values), done);
  }

  async sendNote(number: number, text: string): Promise<boolean> {
    const done = await this.#app.change('incident_note', { number, text }, { what: t('notes.what', { n: number }), done: t('notes.added', { n: number }) });
    if (done !== null) this.close();
    return done !== null;
  }

  async sendResolve(incident: Incident, { verdict, cause, reason, duplicateOf }: Judgement): Promise<void> {
    const values = { n: incident.number, verdict: word('verdict', verdict) };
    const done = await this.#app.change(
      'incident_resolve',
      {
        number: incident.number,
        verdict,
        ...(cause === null ? {} : { cause }),
        reason,
        ...(duplicateOf === null ? {} : { duplicate_of: duplicateOf }),
        version: incident.version,
      },
      { what: t('resolve.what', values) },
    );
    if (done === null) return;
    this.close();
    this.#done(t('resolve.done', values), done);
    this.#onResolved(done);
  }

  async sendEscalate(incident: Incident, severity: Severity | null, to: string | null, reason: string): Promise<void> {
    const n = incident.number;
    const done = await this.#app.change('incident_escalate', { number: n, severity, to, reason, version: incident.version }, { what: t('escalate.what', { n }) });
    if (done === null) return;
    this.close();
    this.#done(t('escalate.done', { n }), done);
  }

  async sendHandover(incident: Incident, to: string, note: string): Promise<void> {
    const values = { n: incident.number, who: to };
    const done = await this.#app.change('incident_handover', { number: incident.number, to, note, version: incident.version }, { what: t('handover.what', values) });
    if (done === null) return;
    this.close();
    this.#done(t('handover.done', values), done);
  }

  async sendPause(incident: Incident, reason: PauseReason, note: string): Promise<void> {
    const n = incident.number;
    const done = await this.#app.change('incident_pause', { number: n, reason, note, version: incident.version }, { what: t('pause.what', { n }), done: t('pause.done', { n }) });
    if (done !== null) this.close();
  }

  async sendSplit(incident: Incident, reason: string): Promise<void> {
    const n = incident.number;
    const done = await this.#app.change('incident_split', { number: n, reason }, { what: t('split.what', { n }), done: t('split.done', { n }) });
    if (done !== null) this.close();
  }

  /** Merges; true when it is done. */
  async sendMerge(numbers: number[], into: number, reason: string): Promise<boolean> {
    const values = { n: numbers.map((number) => `#${number}`).join(', '), into };
    const done = await this.#app.change('incident_merge', { numbers, into, reason }, { what: t('merge.what', values) });
    if (done === null) return false;
    this.close();
    this.#onMerged?.(numbers);
    this.#app.toasts.done(t('merge.done', values), { label: t('bulk.undo'), key: UNDO_KEY, run: () => void this.#unmerge(numbers, into) });
    return true;
  }

  /** Takes them out again, one after the other; the first that is refused ends it, and says why. */
  async #unmerge(numbers: readonly number[], into: number): Promise<void> {
    const reason = t('merge.undo.reason');
    for (const n of numbers) {
      if ((await this.#app.change('incident_split', { number: n, reason }, { what: t('split.what', { n }) })) === null) return;
    }
    this.#app.toasts.done(t('merge.undone', { numbers: numbers.map((number) => `#${number}`).join(', '), into }));
  }
}
