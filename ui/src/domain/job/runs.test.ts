import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { JobRun } from '$ui/generated/model';
import { de } from '$ui/i18n/de';
import { en } from '$ui/i18n/en';
import { elapsed, figureLine, guessFormat, mergeRuns, parametersText, progressText, remaining, stepText, titleOf } from './runs';

function run(id: string, part: Partial<JobRun> = {}): JobRun {
  return {
    id,
    kind: 'retention',
    state: 'running',
    parameters: '',
    started_by: 'mara',
    started_at: '2026-11-20T10:00:00.000Z',
    ended_at: null,
    progress: { done: 0, total: null, unit: 'keys', step: '' },
    report: null,
    error: null,
    ...part,
  };
}

describe('mergeRuns', () => {
  it('lets the feed tell the progress of a running job', () => {
    const live = run('a', { progress: { done: 50, total: 100, unit: 'keys', step: '' } });
    expect(mergeRuns([live], [run('a')])[0]?.progress.done).toBe(50);
  });

  it('does not let an old feed revive a run that the list knows to be over', () => {
    expect(mergeRuns([run('a')], [run('a', { state: 'done' })]).map((row) => row.state)).toEqual(['done']);
  });

  it('is newest first and holds every run once', () => {
    const rows = mergeRuns([run('b', { started_at: '2026-11-20T11:00:00.000Z' })], [run('a'), run('b'), run('c', { started_at: '2026-11-20T12:00:00.000Z' })]);
    expect(rows.map((row) => row.id)).toEqual(['c', 'b', 'a']);
  });
});

describe('time', () => {
  const now = new Date('2026-11-20T10:01:00.000Z').getTime();

  it('counts to the end of a run that is over', () => {
    expect(elapsed(run('a', { ended_at: '2026-11-20T10:00:05.000Z' }), now)).toBe(5);
    expect(elapsed(run('a'), now)).toBe(60);
  });

  it('estimates by the pace so far and not without a total', () => {
    expect(remaining(run('a', { progress: { done: 25, total: 100, unit: 'keys', step: '' } }), now)).toBe(180);
    expect(remaining(run('a', { progress: { done: 25, total: null, unit: 'keys', step: '' } }), now)).toBeNull();
    expect(remaining(run('a', { progress: { done: 0, total: 100, unit: 'keys', step: '' } }), now)).toBeNull();
  });
});

describe('words', () => {
  it('writes bytes as bytes', () => {
    expect(progressText(run('a', { progress: { done: 1_048_576, total: 2_097_152, unit: 'bytes', step: '' } }))).toBe('1.0 MiB of 2.0 MiB');
    expect(progressText(run('a', { progress: { done: 1_200, total: null, unit: 'keys', step: '' } }))).toBe('1,200 keys');
  });

  it('says of a cancelled job what it waits for', () => {
    const at = (step: string): string => stepText(run('a', { progress: { done: 1, total: null, unit: 'keys', step } }));
    expect(at('stopping')).toBe('Stopping');
    expect(at('stopping: what is being written to the audit database or a file is waited for')).toMatch(/^Stopping: .*audit database/);
    expect(at('looking at events')).toBe('looking at events');
  });

  it('leaves zeros out of the one line', () => {
    expect(
      figureLine([
        { name: 'archived', title: 'Archived', value: 12, unit: 'count' },
        { name: 'skipped', title: 'Skipped', value: 0, unit: 'count' },
        { name: 'freed', title: 'Freed', value: 2048, unit: 'bytes' },
      ]),
    ).toBe('Archived 12 · Freed 2.0 KiB');
  });

  it.each([
    ['/var/log/auth.log', 'sshd'],
    ['/var/log/secure-20261101.gz', 'sshd'],
    ['/data/events.jsonl.gz', 'jsonl'],
    ['/var/log/nginx/access.log.1', 'combined'],
    ['/home/a/notes.txt', null],
  ])('guesses the format of %s', (path, format) => {
    expect(guessFormat(path)).toBe(format);
  });
});

describe('what the core says of a job', () => {
  const folders = ['watchpost-ops/src/perform', 'watchpost-redis/src'].flatMap((folder) => readdirSync(`../crates/${folder}`).map((file) => `${folder}/${file}`));
  const files = [...folders.filter((file) => file.endsWith('.rs')), 'watchpost-store/src/backup.rs'];
  const core = files.map((file) => readFileSync(`../crates/${file}`, 'utf8').split('#[cfg(test)]')[0] ?? '').join('\n');
  const found = (pattern: RegExp): string[] => [...core.matchAll(pattern)].flatMap(([, ...titles]) => titles.filter((title) => title !== undefined));

  it('has a title of the window for each figure and fact', () => {
    const titles = [
      ...found(/(?:Figure::\w+|Fact::new)\(\s*(?:"\w+"|UNVERIFIED),\s*"([^"]+)"/g),
      ...found(/\("\w+", "([A-Z][^"]+)", restored/g),
      ...found(/figures\.push\(bytes\("\w+", "([^"]+)"/g),
      ...found(/if preview \{ "([^"]+)" \} else \{ "([^"]+)" \}/g),
      ...found(/\("SELECT[^"]+", "\w+", "([^"]+)"\)/g),
      ...found(/let title = (?:if all \{ "([^"]+)" \} else \{ )?"([^"]+)"/g),
      ...found(/const (?:MEMORY|NO_EVENTS): &str = "([^"]+)"/g),
      ...found(/sums\.report\("([^"]+)"\)/g),
      ...found(/tally\.report\("([^"]+)"/g).map((done) => `Events ${done}`),
      ...found(/with\(report, found, "([^"]+)"\)/g).flatMap((done) => [`Index entries without an event ${done}`, `Old entries of the quarantine ${done}`]),
      ...found(/figure\("\w+", "([^"]+)"/g).map((part) => `{step}: ${part}`),
      ...found(/\("p\d+_ms", "([^"]+)", 0/g).map((part) => `{step}: ${part}`),
    ];
    expect(titles.length, 'the patterns find what they are for').toBeGreaterThan(80);
    const known = new Set(Object.entries(en).flatMap(([key, text]) => (key.startsWith('figure_title.') ? [text] : [])));
    expect([...new Set(titles)].filter((title) => !(known as Set<string>).has(title))).toEqual([]);
    const unsaid = [...known].filter((title) => title.startsWith('{') ? !core.includes(title.replace('{step}: ', '')) : !titles.includes(title));
    expect(unsaid, 'of nothing').toEqual([]);
    const steps = found(/\("\w+", "([A-Z][^"]+)", (?:1|plan\.pipeline), /g);
    expect(steps).toEqual(Object.entries(en).flatMap(([key, text]) => (key.startsWith('bench_step.') ? [text] : [])));
  });

  it('has words of the window for what each run was told to do', () => {
    const literals = [...core.matchAll(/let parameters\b[^;]*;/g)].flatMap(([told]) => [...told.matchAll(/"([^"]+)"/g)].map(([, text]) => text ?? ''));
    const patterns = found(/"(all patterns[^"]*)"/g);
    const told = [...literals, ...found(/const NEWEST: &str = "([^"]+)"/g), ...found(/JobKind::\w+, "([^"]+)"\.to_owned\(\)/g), ...patterns, ...patterns.map((text) => `revert, ${text}`)];
    expect(told.length, 'the patterns find what they are for').toBeGreaterThan(15);
    const plain = (text: string): string => text.replace(/\{\w*\}/g, '{}');
    const forms = new Set(Object.entries(en).flatMap(([key, text]) => (key.startsWith('job_parameters.') ? [plain(text)] : [])));
    expect(told.map(plain).filter((text) => !forms.has(text))).toEqual([]);
    for (const parameters of ['all patterns, compact up to 128 fields of 64 bytes', 'revert, all patterns']) expect(parametersText(run('a', { kind: 'optimize', parameters }))).toBe(parameters);
    expect([de['job_parameters.optimize.all'], de['job_parameters.optimize.revert.all']]).toEqual(['alle Muster', 'rückgängig, alle Muster']);
  });

  it('is shown in the words of the window', () => {
    expect(de['figure_title.written']).toBe('Geschriebene Ereignisse');
    const figure = (name: string, title: string): string => titleOf({ name, title, value: 1, unit: 'count' });
    expect(figure('rows', 'Events written')).toBe('Events written');
    expect(figure('write_per_s', 'Write: operations')).toBe('Write: operations');
    expect(figure('api_usage', 'Events counted: API usage')).toBe('Events counted: API usage');
    expect(figure('new', 'A title of tomorrow'), 'what is not known stays as it is').toBe('A title of tomorrow');
    for (const parameters of ['authentication, api_usage from 2026-11-01T00:00:00Z as csv to /tmp/a as b.csv', 'every key as csv to /tmp/a.csv']) {
      expect(parametersText(run('a', { kind: 'export', parameters })).toLowerCase().replace('api usage', 'api_usage')).toBe(parameters.toLowerCase());
    }
  });
});
