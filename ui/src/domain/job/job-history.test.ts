import { fireEvent, render } from '@testing-library/svelte';
import { expect, it } from 'vitest';
import type { JobRun } from '$ui/generated/model';
import { hook } from '$ui/test-hook';
import JobHistory from './job-history.svelte';

const run = (n: number): JobRun => ({ id: String(n), kind: 'cleanup', state: 'done', parameters: '', started_by: 'mara', started_at: '2026-11-20T10:00:00Z', ended_at: '2026-11-20T10:00:05Z', progress: { done: 0, total: null, unit: '', step: '' }, report: null, error: null });

it('shows the newest runs, and all of them at a press', async () => {
  render(JobHistory, { runs: Array.from({ length: 8 }, (_, n) => run(n)) });
  const rows = (): number => document.querySelectorAll('[data-test=job-row]').length;
  expect(rows()).toBe(5);
  expect(hook('jobs-all').textContent.trim()).toBe('All 8 runs');
  await fireEvent.click(hook('jobs-all'));
  expect(rows()).toBe(8);
  await fireEvent.click(hook('jobs-all'));
  expect(rows()).toBe(5);
});
