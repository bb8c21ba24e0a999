// What uPlot is told: axes, series, cursor and marks of both charts over time.

import 'uplot/dist/uPlot.min.css';
import uPlot from 'uplot';
import type { Zone } from '$ui/state/prefs.svelte';
import { bytes, whole } from '../format/number';
import { axis } from '../format/time';
import { stack, type ChartData } from './series';

export interface Threshold {
  value: number;
  label: string;
  /** A token for the component, resolved for the plot. */
  colour: string;
}

export interface PlotInput {
  data: ChartData;
  /** The time that is looked at, in Unix seconds; without it, the time of the data. */
  range: { from: number; to: number } | undefined;
  shape: 'lines' | 'stacked';
  width: number;
  height: number;
  format: (value: number) => string;
  /** The values are bytes: round steps of them are powers of two. */
  binary: boolean;
  zone: Zone;
  /** Resolved: the canvas knows no tokens. */
  colours: { text: string; grid: string; series: readonly string[] };
  thresholds: readonly Threshold[];
  onCursor: (index: number | null) => void;
  /** A stretch of time was drawn over, in Unix seconds. Without it nothing can be drawn. */
  onBrush: ((from: number, to: number) => void) | undefined;
  /** A bar was pressed, by its index. */
  onPick: ((index: number) => void) | undefined;
}

/** A chart below this height, in pixels, has no room for numbers at even steps. */
const LOW = 120;
/** The height of the label of a threshold, in pixels. */
const LABEL = 14;
const FONT = "11px 'Inter Variable', sans-serif";
/** Between the numbers of an axis and the plot. */
const GAP = 6;
/** What most numbers need, so that charts below each other stand in line. */
const AXIS_MIN = 46;
/** 1 B to 1 PiB. */
const BINARY_STEPS = Array.from({ length: 51 }, (_, power) => 2 ** power);

/** What an axis takes for its numbers: the widest is shown whole. */
export function axisRoom(texts: readonly string[], width: (text: string) => number): number {
  return Math.max(AXIS_MIN, ...texts.map((text) => Math.ceil(width(text)) + GAP + 2));
}

/** The numbers in the form of uPlot; of a stack the tallest sum comes first, the lower ones are drawn over it. */
export function plotData(data: ChartData, shape: PlotInput['shape']): uPlot.AlignedData {
  const times = [...data.times];
  if (shape === 'stacked') return [times, ...stack(data.series).reverse()];
  return [times, ...data.series.map((series) => [...series.values])];
}

export function plotOptions(input: PlotInput): uPlot.Options {
  const { data, shape, colours, zone, binary } = input;
  /** Steps are round. */
  const format = (value: number): string => whole(binary ? bytes(value) : input.format(value));
  const first = data.times[0] ?? 0;
  const last = data.times.at(-1) ?? 0;
  /** A stretch was drawn: the press that ends it is no press on a bar. */
  let brushed = false;
  let cancelled = false;
  const begin = input.range?.from ?? first;
  const end = input.range?.to ?? last + (shape === 'stacked' ? data.step : 0);
  const span = input.range === undefined ? last - first + data.step : end - begin;
  return {
    width: input.width,
    height: input.height,
    padding: [8, 20, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      points: { show: shape === 'lines', size: 6 },
      drag: { x: input.onBrush !== undefined, y: false, setScale: false },
      // A bar covers the interval after its time; the nearest time would be the next bar on its right half.
      ...(shape === 'stacked'
        ? { dataIdx: (_chart: uPlot, _series: number, _near: number, x: number) => Math.min(Math.max(Math.floor((x - first) / data.step), 0), data.times.length - 1) }
        : {}),
    },
    scales: {
      x: { time: true, range: () => [begin, end] },
      y: { range: (_chart, _min, max) => [0, max > 0 ? max * 1.08 : 1] },
    },
    axes: [
      {
        stroke: colours.text,
        font: FONT,
        size: 26,
        gap: 6,
        // A date with its time is longer than either.
        space: span > 36 * 3_600 ? 96 : 72,
        grid: { show: false },
        ticks: { show: false },
        values: (_chart, splits) => splits.map((split) => axis(split * 1_000, span, zone)),
      },
      {
        stroke: colours.text,
        font: FONT,
        size: (chart, texts) => axisRoom(texts ?? [], (text) => {
          chart.ctx.font = FONT;
          return chart.ctx.measureText(text).width;
        }),
        gap: GAP,
        space: 36,
        ...(binary ? { incrs: BINARY_STEPS } : {}),
        // A low chart has room for two numbers: nothing, and what its tallest bar stands for.
        ...(input.height < LOW ? { splits: [0, ...(tallest(input) > 0 ? [tallest(input)] : [])] } : {}),
        grid: { stroke: colours.grid, width: 1 },
        ticks: { show: false },
        values: (_chart, splits) => splits.map((split) => format(split)),
      },
    ],
    ...(zone === 'utc' ? { tzDate: (seconds: number) => uPlot.tzDate(new Date(seconds * 1_000), 'Etc/UTC') } : {}),
    series: [{}, ...seriesOptions(input)],
    hooks: {
      ready: [
        (chart) => {
          chart.over.addEventListener('mousedown', () => {
            brushed = false;
            cancelled = false;
            onEscape(() => {
              cancelled = true;
              brushed = true;
            });
          });
          chart.over.addEventListener('click', () => {
            const { idx } = chart.cursor;
            if (!brushed && idx !== null && idx !== undefined) input.onPick?.(idx);
          });
        },
      ],
      setCursor: [(chart) => input.onCursor(chart.cursor.idx ?? null)],
      draw: [(chart) => drawThresholds(chart, input.thresholds)],
      setSelect: [
        (chart) => {
          const { left, width } = chart.select;
          if (input.onBrush === undefined || width < 3) return;
          brushed = true;
          if (!cancelled) input.onBrush(chart.posToVal(left, 'x'), chart.posToVal(left + width, 'x'));
          chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        },
      ],
    },
  };
}

/** Ends the drag that goes on when Esc is pressed, and only the drag: the press is nobody else's. */
function onEscape(cancel: () => void): void {
  const over = new AbortController();
  const { signal } = over;
  addEventListener('mouseup', () => over.abort(), { signal });
  const pressed = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape') return;
    event.preventDefault();
    event.stopImmediatePropagation();
    cancel();
    // The plot ends a drag where the button is let go.
    document.dispatchEvent(new MouseEvent('mouseup', { bubbles: true }));
  };
  addEventListener('keydown', pressed, { capture: true, signal });
}

/** The greatest value that is drawn. */
function tallest({ data, shape }: PlotInput): number {
  const drawn = shape === 'stacked' ? (stack(data.series).at(-1) ?? []) : data.series.flatMap((series) => series.values);
  return drawn.reduce<number>((most, value) => Math.max(most, value ?? 0), 0);
}

/** Too little for a line that can be seen: one value, or all of them within a hundredth of the time that is looked at. */
function isDot({ data, range }: PlotInput): boolean {
  return data.times.length < 2 || (range !== undefined && (data.times.at(-1) ?? 0) - (data.times[0] ?? 0) < (range.to - range.from) / 100);
}

function seriesOptions(input: PlotInput): uPlot.Series[] {
  const { shape, colours } = input;
  if (shape === 'stacked') {
    const bars = uPlot.paths.bars?.({ size: [0.82, 40], align: 1, gap: 0 });
    return colours.series
      .toReversed()
      .map((colour) => ({ fill: colour, stroke: colour, width: 0, points: { show: false }, ...(bars === undefined ? {} : { paths: bars }) }));
  }
  // A line alone gets its area; several would cover each other. Resolved tokens read `oklch(l c h)`.
  const alone = colours.series.length === 1;
  return colours.series.map((colour) => ({
    stroke: colour,
    width: 1.6,
    points: { show: isDot(input) },
    ...(alone ? { fill: colour.replace(/\)$/, ' / 0.12)') } : {}),
  }));
}

function drawThresholds(chart: uPlot, thresholds: readonly Threshold[]): void {
  const { ctx, bbox } = chart;
  const ratio = devicePixelRatio;
  let labelled = Number.POSITIVE_INFINITY;
  for (const threshold of thresholds.toSorted((a, b) => b.value - a.value)) {
    const y = chart.valToPos(threshold.value, 'y', true);
    if (y < bbox.top || y > bbox.top + bbox.height) continue;
    ctx.save();
    ctx.strokeStyle = threshold.colour;
    ctx.fillStyle = threshold.colour;
    ctx.lineWidth = ratio;
    ctx.setLineDash([4 * ratio, 4 * ratio]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.font = `${10.5 * ratio}px 'Inter Variable', sans-serif`;
    ctx.textAlign = 'right';
    // Above its line, or under it where there is no room; what was drawn before left a baseline of its own.
    const above = y - bbox.top > LABEL * ratio;
    ctx.textBaseline = above ? 'bottom' : 'top';
    // Two limits that lie close together would write over each other; the lines still stand.
    if (Math.abs(y - labelled) > (above ? 1 : 2) * LABEL * ratio) {
      ctx.fillText(threshold.label, bbox.left + bbox.width, y + (above ? -2 : 2) * ratio);
      labelled = y;
    }
    ctx.restore();
  }
}
