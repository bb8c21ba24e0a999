// Stored samples as charts draw them: one value a step, a gap where none was taken.

import type { HealthSample } from '$ui/generated/model';
import type { ChartData, ChartSeries } from '$ui/shared/chart/series';

type Field = Exclude<keyof HealthSample, 'at'>;

/** A gap between samples that is this many times longer than usual is drawn as a gap. */
const GAP = 4;

/** The median distance of samples in seconds; 1 when there is none. */
export function usualStep(times: readonly number[]): number {
  const steps = times.slice(1).map((time, index) => time - (times[index] ?? time));
  steps.sort((a, b) => a - b);
  return Math.max(1, steps[Math.floor(steps.length / 2)] ?? 1);
}

/**
 * The course of some fields. Samples of one second are one; a break in sampling gets an empty point behind its begin, so
 * that no line is drawn across it.
 */
export function course(samples: readonly HealthSample[], looks: readonly { field: Field; label: string; colour: string }[]): ChartData {
  const known = new Map<number, HealthSample>();
  for (const sample of samples) known.set(Math.round(new Date(sample.at).getTime() / 1_000), sample);
  const times = [...known.keys()].sort((a, b) => a - b);
  const step = usualStep(times);
  const drawn: { time: number; sample: HealthSample | null }[] = [];
  for (const [index, time] of times.entries()) {
    drawn.push({ time, sample: known.get(time) ?? null });
    const next = times[index + 1];
    if (next !== undefined && next - time > GAP * step) drawn.push({ time: time + step, sample: null });
  }
  const series = looks.map((look): ChartSeries => ({ id: look.field, label: look.label, colour: look.colour, values: drawn.map(({ sample }) => sample?.[look.field] ?? null) }));
  return { times: drawn.map(({ time }) => time), step, series };
}

/**
 * Where a value stands on a bar that reaches to a quarter beyond the critical threshold (or to the value, if that is
 * more): shares from 0 to 1.
 */
export function scale(value: number, warning: number, critical: number): { value: number; warning: number; critical: number } {
  const end = Math.max(critical * 1.25, value);
  const share = (n: number): number => (end <= 0 ? 0 : Math.min(1, Math.max(0, n / end)));
  return { value: share(value), warning: share(warning), critical: share(critical) };
}
