import { cleanup, fireEvent, render, waitFor } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';
import type { DatabaseCopies, JobPlanPut, JobRun } from '$ui/generated/model';
import { demoPlatform } from '$ui/platform/demo/index';
import type { FakePlatform } from '$ui/platform/fake';
import { App, appContext } from '$ui/state/app.svelte';
import { choose, described, hook, requests, type } from '$ui/test-hook';
import MaintenanceView from './maintenance-view.svelte';

let platform: FakePlatform;
let app: App;

beforeEach(async () => {
  platform = demoPlatform();
  app = new App(platform);
  render(MaintenanceView, { context: appContext(app) });
  await waitFor(() => hook('job-row'));
});

describe('maintenance', () => {
  it('is gone through with j and k: what is planned, and what ran', async () => {
    const rows = [...document.querySelectorAll<HTMLElement>('[data-test=plan-job], [data-test=job-row]')];
    const at = (): number => rows.findIndex((row) => row.contains(document.activeElement));
    await fireEvent.keyDown(document.body, { key: 'j' });
    expect(at()).toBe(0);
    for (const row of rows.keys()) {
      expect(at(), rows[row]?.textContent).toBe(row);
      await fireEvent.keyDown(document.activeElement ?? document.body, { key: 'j' });
    }
    hook('retention-preview').focus();
    await fireEvent.keyDown(hook('retention-preview'), { key: 'k' });
    expect(rows[at()]?.dataset['test'], 'from a job to what is above').toBe('plan-job');
  });

  it('has no button that stands out before somebody is at a job', async () => {
    const loud = (): string[] => [...document.querySelectorAll<HTMLElement>('.job button.primary')].map((button) => button.dataset['test'] ?? '');
    expect(loud()).toEqual([]);
    await fireEvent.click(hook('cleanup-preview'));
    await waitFor(() => expect(loud()).toEqual(['cleanup-run']));
  });

  it('is even: a job shows what it is in a line, how it went and its buttons, and the rest when it is unfolded', async () => {
    const cards = [...document.querySelectorAll<HTMLElement>('section.job')];
    expect(cards.length).toBeGreaterThan(10);
    for (const card of cards) expect([card.getAttribute('aria-label'), card.querySelector<HTMLElement>('.more')?.hidden, card.querySelector('dl')]).toEqual([expect.anything(), true, card.querySelector('.more dl')]);
    const toggle = hook('retention-toggle');
    expect([toggle.getAttribute('aria-expanded'), hook('job-retention').querySelector('.brief')?.textContent]).toEqual(['false', 'Moves old events from Redis to the database']);
    await fireEvent.click(toggle);
    expect([toggle.getAttribute('aria-expanded'), hook('job-retention').querySelector<HTMLElement>('.more')?.hidden]).toEqual(['true', false]);
    expect(hook('job-retention').querySelector('.brief')?.textContent).toContain('commits, and only then removes them');
    await fireEvent.click(toggle);
    expect(hook('job-retention').querySelector<HTMLElement>('.more')?.hidden).toBe(true);
  });

  it('leads to what a job lacks, and unfolds the one that the palette leads to', async () => {
    expect(document.querySelector('[data-test=export-run]'), 'into no file').toBeNull();
    await fireEvent.click(hook('export-fill'));
    await waitFor(() => expect(document.activeElement).toBe(hook('export-type')));
    expect(hook<HTMLButtonElement>('export-run').disabled).toBe(true);
    expect(hook('export-lacks').textContent).toBe('Choose a file first.');
    await type('export-path', '/tmp/events.csv');
    expect(document.querySelector('[data-test=export-lacks]')).toBeNull();
    await fireEvent.focus(hook('job-backup'));
    expect(hook('backup-toggle').getAttribute('aria-expanded')).toBe('true');
  });

  it('says at once that a period of an export is reversed, and no longer when either day is corrected', async () => {
    await fireEvent.click(hook('export-fill'));
    await type('export-path', '/tmp/events.csv');
    await type('export-from', '2026-11-20');
    await type('export-to', '2026-11-19');
    expect(described('export-to')).toContain('The day has to be after the first one.');
    expect(hook<HTMLButtonElement>('export-run').disabled).toBe(true);
    await type('export-from', '2026-11-18');
    expect(described('export-to')).not.toContain('after the first one');
    expect(hook<HTMLButtonElement>('export-run').disabled).toBe(false);
    platform.answers.export_run = () => {
      const error: unknown = { code: 'validation', message: 'the period ends before it begins', field: 'to' };
      throw error;
    };
    await fireEvent.click(hook('export-run'));
    await waitFor(() => expect(described('export-to')).toContain('The period ends before it begins'));
    await type('export-from', '2026-11-17');
    await waitFor(() => expect(described('export-to')).not.toContain('ends before'));
  });

  it('tells apart the buttons of its jobs by name', () => {
    const names = [...document.querySelectorAll<HTMLElement>('section.job > .head button')].map((button) => button.getAttribute('aria-label') ?? button.textContent.trim());
    expect(new Set(names).size).toBe(names.length);
  });

  it('previews with the days typed and drops the preview when they change', async () => {
    await type('retention-days', '3');
    await fireEvent.click(hook('retention-preview'));
    await waitFor(() => expect(hook('retention-preview-result').querySelector('[data-test=figure-archived]')?.getAttribute('data-value')).toBe('41204'));
    expect(requests(platform, 'retention_preview')).toEqual([{ days: 3, restart: false }]);
    expect(requests(platform, 'retention_run'), 'a preview changes nothing').toEqual([]);
    await type('retention-days', '4');
    expect(document.querySelector('[data-test=retention-preview-result]')).toBeNull();
  });

  it('runs by the policy when nothing is typed, and shows the progress', async () => {
    await fireEvent.click(hook('retention-run'));
    await waitFor(() => hook('job-progress'));
    expect(requests(platform, 'retention_run')).toEqual([{ days: null, restart: false }]);
    await waitFor(() => expect(hook('retention-said').textContent).toBe('Retention started'));
    expect(app.toasts.shown, 'it is seen where the button was; a message would say so when it is long over, and cover other buttons').toEqual([]);
    await fireEvent.click(hook('job-cancel'));
    await waitFor(() => expect(app.confirmations.question, 'this is production').not.toBeNull());
    app.confirmations.answer(true);
    await waitFor(() => expect(platform.calls.find((call) => call.name === 'job_cancel')?.confirmation).toBe('shop-production'));
    await waitFor(() => expect(document.querySelector('[data-test=job-row][data-state=cancelled][data-kind=retention]')).not.toBeNull());
    await waitFor(() => expect(hook('retention-said').textContent).toBe('Retention: Cancelled'));
  });

  it('tells what comes of a job in a place that is there from the press on', async () => {
    const outcome = (): HTMLElement => hook('retention-outcome');
    const held = (): boolean => outcome().classList.contains('held');
    expect(held(), 'a job that nobody is at has one line').toBe(false);
    const answer = platform.answers.retention_preview;
    let letGo = (): void => undefined;
    const gate = new Promise<void>((resolve) => (letGo = resolve));
    platform.answers.retention_preview = async (request) => {
      await gate;
      if (answer === undefined) throw new Error('the demo previews');
      return await answer(request);
    };
    await fireEvent.click(hook('retention-preview'));
    expect([held(), outcome().querySelector('[data-test=retention-preview-result]')], 'before the answer').toEqual([true, null]);
    letGo();
    await waitFor(() => expect(outcome().querySelector('[data-test=retention-preview-result]')).not.toBeNull());
    await fireEvent.click(hook('retention-run'));
    await waitFor(() => expect(outcome().querySelector('[data-test=job-progress]')).not.toBeNull());
    expect(held()).toBe(true);
    const begun = (await platform.call('job_list', {})).runs.find((run) => run.kind === 'retention' && run.state === 'running');
    if (begun === undefined) throw new Error('it runs');
    app.live.jobs = [{ ...begun, state: 'done', ended_at: begun.started_at, report: { figures: [{ name: 'archived', title: 'Events archived', value: 7, unit: 'count' }], facts: [], notes: [] } }];
    await waitFor(() => expect(outcome().querySelector('[data-test=retention-last]')).not.toBeNull());
    expect(held()).toBe(true);
  });

  it('tells of a run that began elsewhere on the line that was there', async () => {
    const outcome = (): HTMLElement => hook('cleanup-outcome');
    const run = (state: JobRun['state'], error: string | null): JobRun => ({ id: 'planned', kind: 'cleanup', state, parameters: 'policy', started_by: 'schedule', started_at: new Date().toISOString(), ended_at: null, progress: { done: 7, total: 10, unit: 'keys', step: 'looking at keys' }, report: null, error });
    app.live.jobs = [run('running', null)];
    await waitFor(() => expect(outcome().querySelector('[data-test=job-progress]')?.textContent).toContain('looking at keys'));
    expect([outcome().classList.contains('held'), outcome().querySelectorAll('p').length]).toEqual([false, 0]);
    app.live.jobs = [run('failed', 'the server went away')];
    await waitFor(() => expect(outcome().textContent).toContain('the server went away'));
    expect([outcome().classList.contains('held'), outcome().querySelectorAll('p').length], 'one line').toEqual([false, 1]);
  });

  it('refuses days that are none', async () => {
    await fireEvent.click(hook('retention-toggle'));
    await type('retention-days', 'soon');
    expect(hook<HTMLButtonElement>('retention-run').disabled).toBe(true);
    expect(hook('job-retention').textContent).toContain('A whole number of days');
  });

  it('imports the file that was picked in the format of its name', async () => {
    await fireEvent.click(hook('import-fill'));
    expect(hook<HTMLButtonElement>('import-run').disabled).toBe(true);
    platform.picked = '/var/log/auth.log';
    await fireEvent.click(hook('import-choose'));
    await waitFor(() => expect(hook<HTMLInputElement>('import-path').value).toBe('/var/log/auth.log'));
    await fireEvent.click(hook('import-run'));
    await waitFor(() => expect(requests(platform, 'import_run')).toEqual([{ path: '/var/log/auth.log', format: 'sshd', restart: false }]));
  });

  it('backs up into the file that was chosen, after saying how much that is', async () => {
    await fireEvent.click(hook('backup-fill'));
    expect(hook<HTMLButtonElement>('backup-run').disabled, 'into no file').toBe(true);
    platform.picked = '/var/backups/redis.wpbackup';
    await fireEvent.click(hook('backup-choose'));
    await waitFor(() => expect(hook<HTMLInputElement>('backup-path').value).toBe('/var/backups/redis.wpbackup'));
    await fireEvent.click(hook('backup-preview'));
    await waitFor(() => hook('backup-preview-result'));
    expect(requests(platform, 'backup_preview')).toEqual([{ path: '/var/backups/redis.wpbackup', force: false, rdb: false }]);
    expect(requests(platform, 'backup_run')).toEqual([]);
    await fireEvent.click(hook('backup-force'));
    await fireEvent.click(hook('backup-rdb'));
    await fireEvent.click(hook('backup-run'));
    await waitFor(() => expect(requests(platform, 'backup_run')).toEqual([{ path: '/var/backups/redis.wpbackup', force: true, rdb: true }]));
    await waitFor(() => expect(document.querySelector('[data-test=job-row][data-kind=backup]')).not.toBeNull());
  });

  it('says at the field what is wrong with a path', async () => {
    await type('import-path', 'access.log');
    await fireEvent.click(hook('import-run'));
    await waitFor(() => expect(hook('import-path').getAttribute('aria-invalid')).toBe('true'));
    expect(document.querySelector('[data-test=import-fault]'), 'not twice').toBeNull();
    expect(hook('import-toggle').getAttribute('aria-expanded'), 'the field is seen').toBe('true');
  });

  it('exports what was chosen, to the file that was picked, and tells a day from what is none', async () => {
    await fireEvent.click(hook('export-fill'));
    expect(hook<HTMLButtonElement>('export-run').disabled, 'no file yet').toBe(true);
    platform.picked = '/var/backups/logins.ndjson';
    await fireEvent.click(hook('export-choose'));
    await waitFor(() => expect(hook<HTMLInputElement>('export-path').value).toBe('/var/backups/logins.ndjson'));
    await fireEvent.change(hook('export-type'), { target: { value: 'authentication' } });
    await fireEvent.change(hook('export-format'), { target: { value: 'ndjson' } });
    await type('export-from', '2026-02-30');
    expect(hook<HTMLButtonElement>('export-run').disabled, 'February has no 30th').toBe(true);
    await type('export-from', '2026-11-01');
    await fireEvent.click(hook('export-preview'));
    await waitFor(() => expect(hook('fact-file').textContent).toContain('/var/backups'));
    await fireEvent.click(hook('export-run'));
    await waitFor(() =>
      expect(requests(platform, 'export_run')).toEqual([{ categories: ['authentication'], from: '2026-11-01T00:00:00.000Z', to: null, all: false, format: 'ndjson', path: '/var/backups/logins.ndjson', force: false }]),
    );
  });

  it('rehearses a backup until somebody wants it restored', async () => {
    await type('restore-path', '/var/backups/redis.wpbackup');
    expect(hook<HTMLInputElement>('restore-replace').disabled, 'a rehearsal overwrites nothing').toBe(true);
    await fireEvent.click(hook('restore-run'));
    await waitFor(() => expect(requests(platform, 'restore_run')).toEqual([{ path: '/var/backups/redis.wpbackup', rehearse_only: true, replace: false }]));
    await waitFor(() => hook('job-progress'));
    // What the connection is comes with the first look, which the start of a job asks for.
    await waitFor(() => expect(app.live.status?.connection?.production).toBe(true));
    await fireEvent.click(hook('job-cancel'));
    await waitFor(() => expect(app.confirmations.question).not.toBeNull());
    app.confirmations.answer(true);
    await waitFor(() => hook('restore-run'));
    await fireEvent.click(hook('restore-rehearse'));
    await fireEvent.click(hook('restore-preview'));
    await waitFor(() => expect(hook('figure-kept').getAttribute('data-value')).toBe('7'));
  });

  it('measures with the numbers typed and refuses those that the backend would', async () => {
    await fireEvent.click(hook('benchmark-toggle'));
    await type('benchmark-ops', '50');
    expect(hook<HTMLButtonElement>('benchmark-run').disabled, 'at least 100').toBe(true);
    await type('benchmark-ops', '5000');
    await fireEvent.click(hook('benchmark-preview'));
    await waitFor(() => expect(hook('fact-prefix').textContent).toContain('wpbench'));
    await fireEvent.click(hook('benchmark-run'));
    await waitFor(() => expect(requests(platform, 'benchmark_run')).toEqual([{ ops: 5_000, value_bytes: 200, pipeline: 16 }]));
  });

  it('undoes the optimisation where that is asked for, after saying what it would do', async () => {
    await fireEvent.click(hook('optimize-preview'));
    await waitFor(() => expect(hook('optimize-preview-result').querySelector('[data-test=figure-compressed]')).not.toBeNull());
    await fireEvent.click(hook('optimize-revert'));
    expect(document.querySelector('[data-test=optimize-preview-result]'), 'of the other way').toBeNull();
    await fireEvent.click(hook('optimize-preview'));
    await waitFor(() => expect(hook('optimize-preview-result').querySelector('[data-test=figure-written_back]')?.getAttribute('data-value')).toBe('2310'));
    expect(hook('optimize-run').textContent).toContain('Undo');
    await fireEvent.click(hook('optimize-run'));
    await waitFor(() => expect(requests(platform, 'optimize_run').at(-1)).toEqual({ revert: true }));
    expect(requests(platform, 'optimize_preview')).toEqual([{ revert: false }, { revert: true }]);
  });

  it('counts what the clean-up and the aggregation would do', async () => {
    await fireEvent.click(hook('cleanup-preview'));
    await waitFor(() => hook('cleanup-preview-result'));
    await fireEvent.click(hook('aggregate-preview'));
    await waitFor(() => expect(hook('figure-behind').getAttribute('data-value')).toBe('0'));
    expect(requests(platform, 'cleanup_run')).toEqual([]);
    expect(requests(platform, 'aggregate_run')).toEqual([]);
  });

  it('keeps a plan only when it is saved, and asks for the folder of backups', async () => {
    await waitFor(() => hook('plan-form'));
    expect(document.querySelector('[data-test=plan-save]'), 'nothing was changed').toBeNull();
    expect(hook('plan-missed').textContent).toContain('missed since');
    expect(hook('plan-not-started').textContent).toMatch(/Not started: .*Permission denied.\s+Again at /);
    await fireEvent.click(hook('plan-on-benchmark'));
    await choose('plan-rhythm-benchmark', 'month 15');
    await type('plan-folder', '');
    expect(hook<HTMLButtonElement>('plan-save').disabled, 'a backup needs a folder').toBe(true);
    expect(described('plan-folder')).toContain('Name the folder.');
    await type('plan-keep', '1001');
    expect([hook<HTMLInputElement>('plan-keep').value, described('plan-keep')], 'what was typed stays').toEqual(['1001', expect.stringContaining('A whole number from 1 to 1,000.')]);
    await type('plan-folder', '/srv/backups');
    expect(hook<HTMLButtonElement>('plan-save').disabled, 'no such number of files').toBe(true);
    await type('plan-keep', '12');
    await type('plan-folder', '/srv/backups');
    await fireEvent.click(hook('plan-save'));
    await waitFor(() => expect(requests(platform, 'job_plan_put')).toHaveLength(1));
    const [request] = requests(platform, 'job_plan_put') as [JobPlanPut];
    const job = (kind: string) => request.plan.jobs.find((one) => one.kind === kind);
    expect(job('benchmark')).toMatchObject({ on: true, rhythm: { every: 'month', on: 15 } });
    expect(job('backup')).toMatchObject({ on: true, folder: '/srv/backups', keep: 12 });
    await waitFor(() => expect(document.querySelector('[data-test=plan-save]')).toBeNull());
  });

  it('offers copies of a database on a server like those of a file, once they have a folder', async () => {
    await waitFor(() => expect(hook('copies').textContent).toContain('never'));
    await fireEvent.click(hook('database_backup-fill'));
    expect(hook<HTMLButtonElement>('database_backup-run').disabled).toBe(true);
  });

  it('tells how the copies stand, and makes and rehearses one', async () => {
    const last = platform.answers.job_list === undefined ? null : { ...(await platform.answers.job_list({})).runs[0], kind: 'database_backup', state: 'done' };
    const copies = { engine: 'SQLite', folder: '/srv/copies', last, next: null, rehearsal: null, next_rehearsal: null, problem: 'the newest copy is old' } as DatabaseCopies;
    platform.answers = { ...platform.answers, database_copies: () => copies };
    cleanup();
    app = new App(platform);
    render(MaintenanceView, { context: appContext(app) });
    await waitFor(() => expect(hook('database_backup-problem').textContent).toContain('the newest copy is old'));
    expect(hook('copies').textContent).toContain('never');
    await fireEvent.click(hook('database_backup-run'));
    await waitFor(() => expect(requests(platform, 'database_copy_run')).toEqual([{}]));
    await fireEvent.click(hook('database_rehearsal-run'));
    await waitFor(() => expect(requests(platform, 'database_rehearse_run')).toEqual([{}]));
  });

  it('keeps how many copies stay, and asks for their folder', async () => {
    await waitFor(() => hook('plan-form'));
    await fireEvent.click(hook('plan-on-database_backup'));
    expect(hook<HTMLButtonElement>('plan-save').disabled, 'copies need a folder').toBe(true);
    await type('plan-copies-folder', '/srv/copies');
    await type('plan-keep-weekly', '8');
    await fireEvent.click(hook('plan-on-database_rehearsal'));
    await type('plan-max-age', '3');
    await fireEvent.click(hook('plan-save'));
    await waitFor(() => expect(requests(platform, 'job_plan_put')).toHaveLength(1));
    const [request] = requests(platform, 'job_plan_put') as [JobPlanPut];
    const job = (kind: string) => request.plan.jobs.find((one) => one.kind === kind);
    expect(job('database_backup')).toMatchObject({ on: true, folder: '/srv/copies', generations: { daily: 7, weekly: 8, monthly: 12 } });
    expect(job('database_rehearsal')).toMatchObject({ on: true, max_age_days: 3 });
  });

  it('keeps for whom copies are encrypted and what opens them, and refuses what is no recipient', async () => {
    const recipient = `age1${'q'.repeat(58)}`;
    await waitFor(() => hook('plan-form'));
    await fireEvent.click(hook('plan-on-database_backup'));
    await type('plan-copies-folder', '/srv/copies');
    await choose('plan-encryption', 'recipients');
    await waitFor(() => hook('plan-recipients'));
    expect(hook<HTMLButtonElement>('plan-save').disabled, 'for nobody').toBe(true);
    await type('plan-recipients', `${recipient}\nage1secret`);
    expect(hook('plan-recipients').getAttribute('aria-invalid')).toBe('true');
    expect(hook('plan-form').textContent).toContain('“age1secret” is no recipient');
    expect(hook<HTMLButtonElement>('plan-save').disabled).toBe(true);
    await type('plan-recipients', ` ${recipient}\n\n`);
    await fireEvent.click(hook('plan-on-database_rehearsal'));
    await type('plan-key-identity', 'copies.key');
    expect(hook<HTMLButtonElement>('plan-save').disabled, 'no full path').toBe(true);
    await type('plan-key-identity', '/etc/copies.key');
    await fireEvent.click(hook('plan-save'));
    await waitFor(() => expect(requests(platform, 'job_plan_put')).toHaveLength(1));
    const [request] = requests(platform, 'job_plan_put') as [JobPlanPut];
    const job = (kind: string) => request.plan.jobs.find((one) => one.kind === kind);
    expect(job('database_backup')?.encryption).toEqual({ recipients: [recipient] });
    expect(job('database_rehearsal')?.key).toEqual({ identity: '/etc/copies.key' });
  });

  it('keeps a file with the passphrase of copies, and lets go of it', async () => {
    await waitFor(() => hook('plan-form'));
    await fireEvent.click(hook('plan-on-database_backup'));
    await type('plan-copies-folder', '/srv/copies');
    await choose('plan-encryption', 'passphrase');
    await waitFor(() => hook('plan-passphrase-file'));
    expect(hook<HTMLButtonElement>('plan-save').disabled, 'no file').toBe(true);
    await type('plan-passphrase-file', '/etc/copies.words');
    const kept = (): JobPlanPut['plan']['jobs'][number] | undefined => (requests(platform, 'job_plan_put') as JobPlanPut[]).at(-1)?.plan.jobs.find((one) => one.kind === 'database_backup');
    await fireEvent.click(hook('plan-save'));
    await waitFor(() => expect(kept()?.encryption).toEqual({ recipients: [], passphrase_file: '/etc/copies.words' }));
    await waitFor(() => expect(document.querySelector('[data-test=plan-save]')).toBeNull());
    await choose('plan-encryption', 'none');
    await fireEvent.click(hook('plan-save'));
    await waitFor(() => expect(kept()).not.toHaveProperty('encryption'));
  });

  it('gives a changed plan back', async () => {
    await waitFor(() => hook('plan-form'));
    await type('plan-from', '25:00');
    expect(hook<HTMLButtonElement>('plan-save').disabled, 'no time of day').toBe(true);
    expect(described('plan-from')).toContain('00:00 to 23:59');
    await type('plan-keep', 'many');
    await fireEvent.click(hook('plan-discard'));
    expect(hook<HTMLInputElement>('plan-from').value).toBe('02:00');
    expect(hook<HTMLInputElement>('plan-keep').value).toBe('12');
    expect(requests(platform, 'job_plan_put')).toEqual([]);
  });
});
