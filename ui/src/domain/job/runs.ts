// Job runs as two sources know them: the feed knows the running ones to the second, the list knows the history.

import type { Fact, Figure, JobKind, JobRun } from '$ui/generated/model';
import { said, spoken, t, word } from '$ui/i18n';
import { count, withUnit } from '$ui/shared/format/number';
import type { Tone } from '$ui/shared/feedback/status-pill.svelte';
import { visible } from '$ui/shared/text/visible';

/**
 * One list, newest first. Of a run that both know the list wins when it says that the run is over, the feed otherwise:
 * a run does not begin again.
 */
export function mergeRuns(live: readonly JobRun[], listed: readonly JobRun[]): JobRun[] {
  const by = new Map(live.map((run) => [run.id, run]));
  for (const run of listed) {
    const known = by.get(run.id);
    if (known === undefined || run.state !== 'running') by.set(run.id, run);
  }
  return [...by.values()].sort((a, b) => b.started_at.localeCompare(a.started_at));
}

/** The newest run of a kind. */
export function newest(runs: readonly JobRun[], kind: JobKind): JobRun | undefined {
  return runs.find((run) => run.kind === kind);
}

/** Seconds that a run took, or has taken until `now` (Unix milliseconds). */
export function elapsed(run: JobRun, now: number): number {
  const end = run.ended_at === null ? now : new Date(run.ended_at).getTime();
  return Math.max(0, (end - new Date(run.started_at).getTime()) / 1_000);
}

/** Seconds that are left at the pace so far; `null` while that says nothing. */
export function remaining(run: JobRun, now: number): number | null {
  const { done, total } = run.progress;
  const seconds = elapsed(run, now);
  if (total === null || done === 0 || seconds < 3 || done > total) return null;
  return (seconds * (total - done)) / done;
}

export function progressText(run: JobRun): string {
  const { done, total, unit } = run.progress;
  if (unit === 'bytes') {
    return total === null ? withUnit(done, 'bytes') : t('jobs.progress', { done: withUnit(done, 'bytes'), total: withUnit(total, 'bytes'), unit: '' }).trim();
  }
  return total === null ? t('jobs.progress.open', { done: count(done), unit }) : t('jobs.progress', { done: count(done), total: count(total), unit });
}

/** What it does; of a job that was cancelled and has not ended yet what it waits for. */
export function stepText(run: JobRun): string {
  const { step } = run.progress;
  if (step === 'stopping') return t('jobs.stopping');
  if (step.startsWith('stopping: ')) return t('jobs.stopping.writing');
  return step === '' ? jobName(run) : visible(step, 200);
}

/** What a figure or a fact is; the counts of events are named by their category. */
export function titleOf(thing: Figure | Fact): string {
  const category = said('category', thing.name);
  if (category !== thing.name) return t('jobs.figure.events', { category });
  return spoken('figure_title', thing.title, { step: (step) => spoken('bench_step', step) });
}

/** What a run was told to do. */
export function parametersText(run: JobRun): string {
  return spoken(`job_parameters.${run.kind}`, run.parameters, {
    what: (what) => spoken('export_what', what.split(', ').map((one) => said('category', one)).join(', ')),
  });
}

/** The figures that say something in one line: those that are not zero, at most `max`. */
export function figureLine(figures: readonly Figure[], max = 4): string {
  return figures
    .filter((figure) => figure.value !== 0)
    .slice(0, max)
    .map((figure) => `${titleOf(figure)} ${withUnit(figure.value, figure.unit)}`)
    .join(' · ');
}

export function toneOf(run: JobRun): Tone {
  return ({ running: 'accent', done: 'ok', cancelled: 'quiet', failed: 'bad' } as const)[run.state];
}

export function jobName(run: JobRun): string {
  return word('job', run.kind);
}

const BY_NAME: readonly (readonly [RegExp, string])[] = [
  [/(auth\.log|secure|sshd)[^/]*$/i, 'sshd'],
  [/\.(jsonl|ndjson)(\.gz)?$/i, 'jsonl'],
  [/access[^/]*$/i, 'combined'],
];

/** The format that a file name promises; `null` if it promises none. */
export function guessFormat(path: string): string | null {
  return BY_NAME.find(([pattern]) => pattern.test(path))?.[1] ?? null;
}
