// What uPlot is told: axes, series, cursor and marks of both charts over time.

import 'uplot/dist/uPlot.min.css';
import uPlot from 'uplot';
import type { Zone } from '$ui/state/prefs.svelte';
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
  shape: 'lines' | 'stacked';
  width: number;
  height: number;
  format: (value: number) => string;
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

const FONT = "11px 'Inter Variable', sans-serif";

/** The numbers in the form of uPlot; of a stack the tallest sum comes first, the lower ones are drawn over it. */
export function plotData(data: ChartData, shape: PlotInput['shape']): uPlot.AlignedData {
  const times = [...data.times];
  if (shape === 'stacked') return [times, ...stack(data.series).reverse()];
  return [times, ...data.series.map((series) => [...series.values])];
}

export function plotOptions(input: PlotInput): uPlot.Options {
  const { data, shape, colours, zone, format } = input;
  const first = data.times[0] ?? 0;
  const last = data.times.at(-1) ?? 0;
  const span = last - first + data.step;
  /** A stretch was drawn: the press that ends it is no press on a bar. */
  let brushed = false;
  const end = last + (shape === 'stacked' ? data.step : 0);
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
      x: { time: true, range: () => [first, end] },
      y: { range: (_chart, _min, max) => [0, max > 0 ? max * 1.08 : 1] },
    },
    axes: [
      {
        stroke: colours.text,
        font: FONT,
        size: 26,
        gap: 6,
        space: 72,
        grid: { show: false },
        ticks: { show: false },
        values: (_chart, splits) => splits.map((split) => axis(split * 1_000, span, zone)),
      },
      {
        stroke: colours.text,
        font: FONT,
        size: 46,
        gap: 6,
        // A low chart has room for a second number only when they may stand closer.
        space: input.height < 120 ? 16 : 36,
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
          chart.over.addEventListener('mousedown', () => (brushed = false));
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
          input.onBrush(chart.posToVal(left, 'x'), chart.posToVal(left + width, 'x'));
          chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        },
      ],
    },
  };
}

function seriesOptions({ data, shape, colours }: PlotInput): uPlot.Series[] {
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
    points: { show: data.times.length < 2 },
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
    // Two limits that lie close together would write over each other; the lines still stand.
    if (Math.abs(y - labelled) > 12 * ratio) {
      ctx.fillText(threshold.label, bbox.left + bbox.width, y - 4 * ratio);
      labelled = y;
    }
    ctx.restore();
  }
}
