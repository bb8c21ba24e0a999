// The period that panels look at. A rolling preset ends at the next full step, so that its request stays the same (and
// its answer cached) until the step is over.

import type { Period } from '$ui/generated/model';
import { clock } from './clock.svelte';

export const PRESETS = ['1h', '24h', '7d', '30d', '90d', 'all', 'custom'] as const;
export type Preset = (typeof PRESETS)[number];

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const ROLLING: Record<Exclude<Preset, 'all' | 'custom'>, { length: number; step: number }> = {
  '1h': { length: HOUR, step: MINUTE },
  '24h': { length: DAY, step: 5 * MINUTE },
  '7d': { length: 7 * DAY, step: 5 * MINUTE },
  '30d': { length: 30 * DAY, step: 15 * MINUTE },
  '90d': { length: 90 * DAY, step: 15 * MINUTE },
};

/** When the step of a preset at `now` began, Unix milliseconds. */
function stepOf(preset: Exclude<Preset, 'custom'>, now: number): number {
  return preset === 'all' ? 0 : Math.floor(now / ROLLING[preset].step) * ROLLING[preset].step;
}

/** The period of a rolling preset at `now` (Unix milliseconds); `null` means all data. */
export function rolling(preset: Exclude<Preset, 'custom'>, now: number): Period | null {
  if (preset === 'all') return null;
  const { length, step } = ROLLING[preset];
  const to = stepOf(preset, now) + step;
  return { from: new Date(to - length).toISOString(), to: new Date(to).toISOString() };
}

/** Steps that lead back. */
const STEPS_MAX = 20;

class PeriodChoice {
  #preset = $state<Preset>(PRESETS.find((known) => known === localStorage.getItem('watchpost.period')) ?? '24h');
  #custom = $state.raw<Period | null>(null);
  /** What was looked at before it was narrowed in a chart, the last one last. */
  #wider = $state.raw<readonly { preset: Preset; custom: Period | null }[]>([]);
  readonly #rolling = $derived(this.#preset === 'custom' ? '24h' : this.#preset);
  /** Unix milliseconds. The clock ticks each second; whoever shows the period is drawn anew when a step is over only. */
  readonly #step = $derived(stepOf(this.#rolling, clock.now));
  readonly #current = $derived.by(() => (this.#preset === 'custom' ? this.#custom : null) ?? rolling(this.#rolling, this.#step));

  get preset(): Preset {
    return this.#preset;
  }

  set preset(preset: Preset) {
    this.#preset = preset;
    this.#wider = [];
    // A custom period is of the moment; the next start begins with a rolling one.
    if (preset !== 'custom') localStorage.setItem('watchpost.period', preset);
  }

  /** Has somebody chosen it, or is it what a new window begins with? */
  get chosen(): boolean {
    return this.#preset === 'custom' || localStorage.getItem('watchpost.period') !== null;
  }

  setCustom(custom: Period): void {
    this.#custom = custom;
    this.#preset = 'custom';
    this.#wider = [];
  }

  /** Narrows to a stretch of a chart, Unix seconds; `widen` leads back. */
  narrow(from: number, to: number): void {
    const wider = [...this.#wider, { preset: this.#preset, custom: this.#custom }].slice(-STEPS_MAX);
    this.setCustom({ from: new Date(from * 1_000).toISOString(), to: new Date(to * 1_000).toISOString() });
    this.#wider = wider;
  }

  /** Is there something to go back to? */
  get narrowed(): boolean {
    return this.#wider.length > 0;
  }

  /** Back to what was looked at before the last narrowing. */
  widen(): void {
    const before = this.#wider.at(-1);
    if (before === undefined) return;
    this.#wider = this.#wider.slice(0, -1);
    this.#custom = before.custom;
    this.#preset = before.preset;
  }

  /** `null` means all the data there is. */
  get current(): Period | null {
    return this.#current;
  }

  /** The same with an end and a beginning, for requests that need both: all data begins 20 years ago. */
  get bounded(): Period {
    return this.#current ?? { from: new Date(Math.floor(clock.now / DAY) * DAY - 7_300 * DAY).toISOString(), to: new Date((Math.floor(clock.now / MINUTE) + 1) * MINUTE).toISOString() };
  }
}

export const period = new PeriodChoice();
