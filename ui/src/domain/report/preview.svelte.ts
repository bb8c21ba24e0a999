// The preview of a report: one at a time, with how far it is; stopped on demand, and when another one is wanted.

import type { ReportDocument, ReportProgress, ReportRequest } from '$ui/generated/model';
import { t } from '$ui/i18n';
import type { App } from '$ui/state/app.svelte';
import { normaliseError } from '$ui/state/error';
import { Work } from '$ui/state/work.svelte';

/** How often it is asked how far it is, in milliseconds. */
const ASK_MS = 400;

/** A preview that is being made. */
interface Underway {
  basis: string;
  ticket: string;
  /** Stopped by the person, or because another one is wanted. */
  stopped: 'asked' | 'other' | null;
}

export class Preview {
  readonly work = new Work();
  /** The newest that was made, and what it is about. */
  seen = $state.raw<{ basis: string; report: ReportDocument } | null>(null);
  /** What was refused, or stopped by the person, waits for a change or a press. */
  refused = $state<string | null>(null);
  /** How far the one under way is; `null` until that is known. */
  step = $state.raw<ReportProgress | null>(null);
  /** It was asked to stop and has not ended yet. */
  stopping = $state(false);
  #underway: Underway | null = null;
  readonly #app: App;

  constructor(app: App) {
    this.#app = app;
  }

  /** Makes one about `basis`, unless another is under way. */
  async make(basis: string, request: Omit<ReportRequest, 'ticket'>): Promise<void> {
    if (this.work.busy) return;
    const underway: Underway = { basis, ticket: `window-${crypto.randomUUID()}`, stopped: null };
    this.#underway = underway;
    this.step = null;
    const asking = setInterval(() => void this.#ask(underway), ASK_MS);
    await this.work.run(async () => {
      try {
        this.seen = { basis, report: await this.#app.read('report_preview', { ...request, ticket: underway.ticket }) };
      } catch (thrown) {
        if (underway.stopped !== 'other') this.refused = basis;
        // Whoever stopped it knows that it was stopped.
        if (underway.stopped === null || normaliseError(thrown).code !== 'cancelled') throw thrown;
      } finally {
        clearInterval(asking);
        this.#underway = null;
        this.stopping = false;
      }
    });
  }

  /** Stops the one under way. */
  stop(why: 'asked' | 'other' = 'asked'): void {
    const underway = this.#underway;
    if (underway === null || underway.stopped !== null) return;
    underway.stopped = why;
    this.stopping = true;
    void this.#ask(underway);
  }

  /** The one under way is stopped if it is about something else. */
  want(basis: string): void {
    if (this.#underway !== null && this.#underway.basis !== basis) this.stop('other');
  }

  /** Asks how far it is. One that is to stop is told so again: the first time it may not have begun. */
  async #ask(underway: Underway): Promise<void> {
    const { ticket } = underway;
    try {
      const now = underway.stopped === null ? await this.#app.read('report_progress', { ticket }) : await this.#app.change('report_cancel', { ticket }, { what: t('report.produce.stop'), quiet: true });
      if (now?.running === true && this.#underway === underway) this.step = now;
    } catch {
      // The preview itself tells what is wrong.
    }
  }
}
