import { fireEvent, render } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';
import { hook } from '$ui/test-hook';
import type { ChartData } from './series';
import TimeChart from './time-chart.svelte';

const TIMES = [0, 600, 1_200, 1_800];

async function table(shape: 'lines' | 'stacked', values: (number | null)[]): Promise<string[]> {
  const data: ChartData = { times: TIMES, step: 600, series: [{ id: 'a', label: 'A', colour: '--series-1', values, total: 9 }] };
  render(TimeChart, { title: 'When', data, shape });
  await fireEvent.click(hook('chart-table-toggle'));
  return [...hook('chart').querySelectorAll('tbody tr')].map((row) => row.querySelector('.num')?.textContent ?? '');
}

describe('a chart as a table', () => {
  it('leaves out bars of nothing, and says how many', async () => {
    expect(await table('stacked', [0, 7, 0, 2])).toEqual(['7', '2']);
    expect(hook('chart-left-out').textContent).toBe('2 intervals of 10 min without anything are left out.');
  });

  it('keeps a measured zero, and no time at which nothing was measured', async () => {
    expect(await table('lines', [0, null, 3, 4])).toEqual(['0', '3', '4']);
    expect(hook('chart-left-out').textContent).toContain('1 interval of 10 min');
  });

  it('has nothing to say where every bar has something', async () => {
    expect(await table('stacked', [1, 2, 3, 4])).toHaveLength(4);
    expect(document.querySelector('[data-test=chart-left-out]')).toBeNull();
  });
});
