// What a chart draws, apart from how.

import type { Histogram } from '$ui/generated/model';

export interface ChartSeries {
  id: string;
  label: string;
  /** A token: `--series-1`. */
  colour: string;
  /** One a time; `null` is a gap. */
  values: readonly (number | null)[];
  /** All values together, as the answer says it; absent where they are no counts. */
  total?: number | undefined;
}

export interface ChartData {
  /** Unix seconds, ascending; for bars the start of the interval. */
  times: readonly number[];
  /** Seconds between two times. */
  step: number;
  series: readonly ChartSeries[];
}

/** A histogram with the looks of its series; series without a look are left out. */
export function fromHistogram(histogram: Histogram, looks: readonly { id: string; label: string; colour: string }[]): ChartData {
  const start = new Date(histogram.start).getTime() / 1_000;
  const length = Math.max(0, ...histogram.series.map((series) => series.counts.length));
  return {
    times: Array.from({ length }, (_, index) => start + index * histogram.bucket_s),
    step: histogram.bucket_s,
    series: looks.map((look) => {
      const found = histogram.series.find((series) => series.name === look.id);
      return { ...look, values: found?.counts ?? Array.from({ length }, () => 0), total: found === undefined ? 0 : found.total };
    }),
  };
}

/** Running sums from the first series up, so that each is drawn on top of those before it; a gap counts as zero. */
export function stack(series: readonly ChartSeries[]): number[][] {
  const sums: number[][] = [];
  for (const { values } of series) {
    const below = sums.at(-1);
    sums.push(values.map((value, index) => (value ?? 0) + (below?.[index] ?? 0)));
  }
  return sums;
}

/** Nothing was measured: for quantities, of which zero is a value like any other. */
export function isUnknown(data: ChartData): boolean {
  return data.series.every((series) => series.values.every((value) => value === null));
}

/** Nothing happened: for counts. */
export function isEmpty(data: ChartData): boolean {
  return data.series.every((series) => series.values.every((value) => value === null || value === 0));
}
