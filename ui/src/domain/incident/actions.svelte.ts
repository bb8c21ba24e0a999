// What can be done to an incident, from a key, a button or a menu. The dialogs are drawn once, by the panel.

import type { Incident, Status, Verdict } from '$ui/generated/model';
import { t, word } from '$ui/i18n';
import type { App } from '$ui/state/app.svelte';
import { openBlock } from '../block/block-request.svelte';
import { isActive, nextStatuses } from './tones';

export type Asked =
  | { kind: 'assign'; incident: Incident }
  | { kind: 'note'; incident: Incident }
  | { kind: 'resolve'; incident: Incident; verdict: Verdict | null }
  | { kind: 'status'; incident: Incident; status: Status };

export class IncidentActions {
  /** The dialog that is open. */
  asked = $state.raw<Asked | null>(null);
  readonly #app: App;
  readonly #onResolved: (incident: Incident) => void;

  /** `onResolved` hears of an incident that was resolved, before the queue is fetched again. */
  constructor(app: App, onResolved: (incident: Incident) => void) {
    this.#app = app;
    this.#onResolved = onResolved;
  }

  close(): void {
    this.asked = null;
  }

  async take(incident: Incident): Promise<void> {
    const n = incident.number;
    await this.#app.change('incident_take', { number: n }, { what: t('take.what', { n }), done: t('take.done', { n }) });
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
    else await this.sendStatus(incident, status, null);
  }

  block(incident: Incident): void {
    openBlock({ target: incident.entity.kind === 'ip' ? incident.entity.value : '', incident: incident.number });
  }

  async sendStatus(incident: Incident, status: Status, reason: string | null): Promise<void> {
    const values = { n: incident.number, status: word('status', status) };
    const done = await this.#app.change(
      'incident_status_set',
      { number: incident.number, status, reason, version: incident.version },
      { what: t('status.what', values), done: t('status.done', values) },
    );
    if (done !== null) this.close();
  }

  async sendAssign(incident: Incident, assignee: string | null): Promise<void> {
    const values = { n: incident.number, who: assignee ?? t('incidents.nobody') };
    const done = await this.#app.change(
      'incident_assign',
      { number: incident.number, assignee, version: incident.version },
      { what: t('assign.what', values), done: t('assign.done', values) },
    );
    if (done !== null) this.close();
  }

  async sendNote(number: number, text: string): Promise<boolean> {
    const done = await this.#app.change('incident_note', { number, text }, { what: t('notes.what', { n: number }), done: t('notes.added', { n: number }) });
    if (done !== null) this.close();
    return done !== null;
  }

  async sendResolve(incident: Incident, verdict: Verdict, reason: string): Promise<void> {
    const values = { n: incident.number, verdict: word('verdict', verdict) };
    const done = await this.#app.change(
      'incident_resolve',
      { number: incident.number, verdict, reason, version: incident.version },
      { what: t('resolve.what', values), done: t('resolve.done', values) },
    );
    if (done === null) return;
    this.close();
    this.#onResolved(done);
  }

  /** Handles the key of an action; true if it was one. */
  key(key: string, incident: Incident): boolean {
    switch (key) {
      case 't':
        if (this.#app.may('incident_take') && isActive(incident.status)) void this.take(incident);
        return true;
      case 'a':
        if (this.#app.may('incident_assign')) this.assign(incident);
        return true;
      case 'r':
        if (this.#app.may('incident_resolve')) this.resolve(incident);
        return true;
      case 'n':
        if (this.#app.may('incident_note')) this.note(incident);
        return true;
      case 'b':
        if (this.#app.may('block_add')) this.block(incident);
        return true;
      default:
        return false;
    }
  }
}
