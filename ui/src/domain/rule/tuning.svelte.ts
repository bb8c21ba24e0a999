// A change of a rule as it is being tried: other counts, or off; what it would have changed, then the change.

import type { BacktestReport, BacktestRow, ReportProgress, RuleDetail, RuleRow } from '$ui/generated/model';
import { t } from '$ui/i18n';
import type { App } from '$ui/state/app.svelte';
import { normaliseError } from '$ui/state/error';
import { Work } from '$ui/state/work.svelte';

export const SPANS = ['1', '7', '30'] as const;
export type Span = (typeof SPANS)[number];

const DAY_MS = 86_400_000;
/** How often a replay is asked how far it is, in milliseconds. */
const ASK_MS = 400;

function positive(text: string): number | null {
  return /^[1-9]\d{0,8}$/.test(text.trim()) ? Number(text.trim()) : null;
}

/** A change of a rule; `null` is what its file says. */
interface FileValuesChange {
  enabled: boolean | null;
  threshold: number | null;
  window_s: number | null;
}

export class Tuning {
  threshold = $state('');
  window = $state('');
  enabled = $state(true);
  reason = $state('');
  span = $state<Span>('7');
  readonly work = new Work();
  replaying = $state(false);
  /** How far the replay is; `null` until that is known. */
  step = $state.raw<ReportProgress | null>(null);
  /** It was asked to stop and has not ended yet: it answers with what it has replayed. */
  stopping = $state(false);
  report = $state.raw<BacktestReport | null>(null);
  readonly #row: RuleRow;
  #asked = 0;
  /** Stops the replay under way. */
  #halt: (() => void) | null = null;

  constructor(row: RuleRow) {
    this.#row = row;
    this.threshold = row.threshold === null ? '' : String(row.threshold);
    this.window = row.window_s === null ? '' : String(row.window_s);
    this.enabled = row.enabled;
  }

  readonly counts = $derived.by(() => ({ threshold: positive(this.threshold), window_s: positive(this.window) }));

  get valid(): boolean {
    return this.#row.threshold === null || (this.counts.threshold !== null && this.counts.window_s !== null);
  }

  get changed(): boolean {
    const row = this.#row;
    return this.enabled !== row.enabled || (row.threshold !== null && (this.counts.threshold !== row.threshold || this.counts.window_s !== row.window_s));
  }

  /** What the report says of this rule; nothing fired before or after means zeros. */
  get own(): BacktestRow | null {
    if (this.report === null) return null;
    const id = this.#row.id;
    return this.report.rules.find((row) => row.rule_id === id) ?? { rule_id: id, findings_before: 0, findings_after: 0, incidents_before: 0, incidents_after: 0 };
  }

  /** Typing makes a report old, and nobody waits for the one under way. */
  touched(): void {
    this.#asked += 1;
    this.stop();
    this.report = null;
    this.replaying = false;
  }

  /** Stops the replay under way, if there is one. */
  stop(): void {
    if (this.#halt === null || this.stopping) return;
    this.stopping = true;
    this.#halt();
  }

  async replay(app: App, now: number): Promise<void> {
    if (!this.valid) return;
    this.#asked += 1;
    const asked = this.#asked;
    const ticket = `window-${crypto.randomUUID()}`;
    this.replaying = true;
    this.stopping = false;
    this.step = null;
    this.report = null;
    this.work.fault = null;
    let halted = false;
    const ask = async (): Promise<void> => {
      try {
        // One that is to stop is told so again: the first time it may not have begun.
        const now = halted ? await app.change('rule_backtest_cancel', { ticket }, { what: t('rule.backtest.stop'), quiet: true }) : await app.read('rule_backtest_progress', { ticket });
        if (now?.running === true && asked === this.#asked) this.step = now;
      } catch {
        // The replay itself tells what is wrong.
      }
    };
    const asking = setInterval(() => void ask(), ASK_MS);
    const halt = (): void => {
      halted = true;
      void ask();
    };
    this.#halt = halt;
    try {
      const report = await app.read('rule_backtest', {
        period: { from: new Date(now - Number(this.span) * DAY_MS).toISOString(), to: new Date(now).toISOString() },
        directory: null,
        change: { id: this.#row.id, enabled: this.enabled, threshold: this.#row.threshold === null ? null : this.counts.threshold, window_s: this.#row.threshold === null ? null : this.counts.window_s },
        ticket,
      });
      if (asked === this.#asked) this.report = report;
    } catch (thrown) {
      if (asked === this.#asked) this.work.fault = normaliseError(thrown);
    } finally {
      clearInterval(asking);
      if (asked === this.#asked) this.replaying = false;
      if (this.#halt === halt) {
        this.#halt = null;
        this.stopping = false;
      }
    }
  }

  async save(app: App): Promise<RuleDetail | null> {
    if (!this.valid) return null;
    return await this.#put(app, this.#difference());
  }

  /** Only what differs from the file: whoever switches a rule off and on does not settle on the counts of today. */
  #difference(): FileValuesChange {
    const counting = this.#row.threshold !== null;
    const wanted = { enabled: this.enabled, threshold: counting ? this.counts.threshold : null, window_s: counting ? this.counts.window_s : null };
    const { file_enabled, file_threshold, file_window_s } = this.#row;
    return {
      enabled: wanted.enabled === file_enabled ? null : wanted.enabled,
      threshold: wanted.threshold === file_threshold ? null : wanted.threshold,
      window_s: wanted.window_s === file_window_s ? null : wanted.window_s,
    };
  }

  /** Back to what its file says. */
  async reset(app: App): Promise<RuleDetail | null> {
    return await this.#put(app, { enabled: null, threshold: null, window_s: null });
  }

  #put(app: App, change: FileValuesChange): Promise<RuleDetail | null> {
    const id = this.#row.id;
    return this.work.run(() => app.change('rule_set', { id, ...change, reason: this.reason.trim() === '' ? null : this.reason.trim() }, { what: t('rule.set.what', { id }), done: t('rule.set.done', { id }), quiet: true }));
  }
}
