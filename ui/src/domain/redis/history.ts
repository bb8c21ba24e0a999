// Stored samples as charts draw them: one value a step, a gap where none was taken.

import type { HealthSample, Metric, Period, Unit } from '$ui/generated/model';
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

/** A period begins this share of its length before the first sample when that is worth a word. */
const LATE = 0.05;

/** When the samples begin, if that is well after the time that is looked at begins (Unix seconds). */
export function lateBegin(samples: readonly HealthSample[], range: { from: number; to: number }): string | null {
  const first = samples[0];
  if (first === undefined) return null;
  return new Date(first.at).getTime() / 1_000 - range.from > LATE * (range.to - range.from) ? first.at : null;
}

/** So that what begins now is no line at the edge, in milliseconds. */
const SHORTEST_MS = 10 * 60_000;
/** The beginning is rounded down to this: it stays the same while samples are reduced to other points. */
const ROUNDED_MS = 5 * 60_000;

/** The part of a period that has samples, when they begin well after it; a step of `points` before the first one. */
export function lived(samples: readonly HealthSample[], period: Period, points: number): Period | null {
  const [from, to] = [new Date(period.from).getTime(), new Date(period.to).getTime()];
  const first = lateBegin(samples, { from: from / 1_000, to: to / 1_000 });
  if (first === null) return null;
  const begin = Math.min(new Date(first).getTime() - (to - from) / points, to - SHORTEST_MS);
  return { from: new Date(Math.max(from, Math.floor(begin / ROUNDED_MS) * ROUNDED_MS)).toISOString(), to: period.to };
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

/** What a stored sample holds, by the names of the metrics. */
const STORED: readonly [name: string, field: Field, unit: Unit][] = [
  ['memory_used_bytes', 'memory_bytes', 'bytes'],
  ['events_per_min', 'events_per_min', 'per_minute'],
  ['backlog', 'backlog', 'count'],
  ['ops_per_s', 'ops_per_s', 'per_second'],
  ['round_trip_ms', 'latency_ms', 'milliseconds'],
];

/** A stored sample as metrics, without thresholds: what there is when Redis does not answer. */
export function stored(sample: HealthSample): Metric[] {
  return STORED.map(([name, field, unit]) => ({ name, title: name, unit, value: sample[field], warning: null, critical: null, verdict: 'unknown', basis: '' }));
}
