import type uPlot from 'uplot';
import { describe, expect, it, vi } from 'vitest';
import { axisRoom, plotOptions, type PlotInput } from './plot';

const INPUT: PlotInput = {
  data: { times: [0, 60], step: 60, series: [] },
  range: undefined,
  shape: 'lines',
  width: 400,
  height: 132,
  format: (value) => `${value}`,
  binary: false,
  zone: 'utc',
  colours: { text: '', grid: '', series: [] },
  thresholds: [],
  onCursor: () => undefined,
  onBrush: undefined,
  onPick: undefined,
};

describe('the axis of time', () => {
  const shown = (range: PlotInput['range']): { ends: unknown; tick: unknown } => {
    const { scales, axes } = plotOptions({ ...INPUT, range });
    const ends = (scales?.['x']?.range as () => unknown)();
    const tick = (axes?.[0]?.values as (chart: unknown, splits: number[]) => string[])(null, [3_600])[0];
    return { ends, tick };
  };

  it('is the time that is looked at, however little of it there is data for', () => {
    expect(shown({ from: -86_340, to: 60 })).toEqual({ ends: [-86_340, 60], tick: '01:00' });
    expect(shown(undefined), 'else of the data').toEqual({ ends: [0, 60], tick: '01:00:00' });
  });
});

describe('the axis of values', () => {
  it('is as wide as its widest number', () => {
    const width = (text: string): number => text.length * 7;
    expect(axisRoom(['0 B', '16 MiB'], width)).toBeGreaterThanOrEqual(6 * 7);
    expect(axisRoom(['0 B', '1.023,5 MiB'], width)).toBeGreaterThan(11 * 7);
    expect(axisRoom(['0', '5'], width), 'and charts below each other stand in line').toBe(axisRoom(['0', '7 MiB'], width));
  });

  it('counts bytes in round binary steps', () => {
    const [, axis] = plotOptions({ ...INPUT, binary: true }).axes ?? [];
    const steps = axis?.incrs as number[];
    expect(steps).toEqual(expect.arrayContaining([512, 1024, 16 * 1024 ** 2, 1024 ** 3]));
    expect(steps.every((step) => Number.isInteger(Math.log2(step)))).toBe(true);
    const values = axis?.values as (chart: unknown, splits: number[]) => string[];
    expect(values(null, [0, 512, 16 * 1024 ** 2, 1536 * 1024])).toEqual(['0 B', '512 B', '16 MiB', '1.5 MiB']);
  });
});

function numbers(height: number, values: readonly (readonly number[])[]): uPlot.Axis | undefined {
  const input: PlotInput = {
    data: { times: [0, 60, 120], step: 60, series: values.map((one, index) => ({ id: String(index), label: '', colour: '', values: one })) },
    range: undefined,
    shape: 'stacked',
    width: 600,
    height,
    format: String,
    binary: false,
    zone: 'utc',
    colours: { text: '', grid: '', series: values.map(() => '') },
    thresholds: [],
    onCursor: () => undefined,
    onBrush: undefined,
    onPick: undefined,
  };
  return plotOptions(input).axes?.[1];
}

describe('the numbers beside a chart', () => {
  it('are nothing and the tallest bar where it is low', () => {
    expect(numbers(84, [[1, 7, 3], [2, 30, 0]])?.splits).toEqual([0, 37]);
    expect(numbers(84, [[0, 0, 0]])?.splits, 'one number once').toEqual([0]);
  });

  it('stand at even steps where there is room', () => {
    expect(numbers(180, [[1, 7, 3]])?.splits).toBeUndefined();
  });
});

describe('a stretch that is drawn over', () => {
  /** What is told of a drag during which these keys are pressed. */
  function drawn(...keys: string[]): { told: number; elsewhere: number } {
    const onBrush = vi.fn();
    const elsewhere = vi.fn();
    const { hooks } = plotOptions({ ...INPUT, onBrush });
    const chart = { over: document.createElement('div'), cursor: { idx: 0 }, select: { left: 10, width: 50 }, posToVal: (at: number) => at, setSelect: vi.fn() };
    const call = (list: readonly unknown[] | undefined): void => list?.forEach((hook) => (hook as (chart: unknown) => void)(chart));
    call(hooks?.ready);
    document.addEventListener('mouseup', () => call(hooks?.setSelect), { once: true });
    document.addEventListener('keydown', elsewhere);
    chart.over.dispatchEvent(new MouseEvent('mousedown'));
    for (const key of keys) document.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
    document.dispatchEvent(new MouseEvent('mouseup', { bubbles: true }));
    document.removeEventListener('keydown', elsewhere);
    expect(chart.setSelect, 'and nothing of it stays').toHaveBeenCalledWith({ left: 0, top: 0, width: 0, height: 0 }, false);
    return { told: onBrush.mock.calls.length, elsewhere: elsewhere.mock.calls.length };
  }

  it('narrows the period when the button is let go', () => {
    expect(drawn()).toEqual({ told: 1, elsewhere: 0 });
    expect(drawn('a')).toEqual({ told: 1, elsewhere: 1 });
  });

  it('is given up with Esc, which closes nothing else', () => {
    expect(drawn('Escape')).toEqual({ told: 0, elsewhere: 0 });
  });
});
