import { fireEvent, render, waitFor } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';
import { demoPlatform } from '$ui/platform/demo/index';
import type { FakePlatform } from '$ui/platform/fake';
import { App, appContext } from '$ui/state/app.svelte';
import { router } from '$ui/state/router.svelte';
import { choose, described, hook, requests, type } from '$ui/test-hook';
import ReportsView from './reports-view.svelte';

let platform: FakePlatform;

function asked(name: string): { framework: string; period: { from: string; to: string } }[] {
  return requests(platform, name) as { framework: string; period: { from: string; to: string } }[];
}

beforeEach(async () => {
  router.go('reports');
  platform = demoPlatform();
  render(ReportsView, { context: appContext(new App(platform)) });
  await waitFor(() => hook('report-preview'));
});

describe('reports', () => {
  it('previews the chosen framework and shows every control with its exceptions', async () => {
    await choose('report-framework', 'pci-dss');
    await fireEvent.submit(hook('report-form'));
    await waitFor(() => hook('report-document'));
    expect(asked('report_preview').map((request) => request.framework)).toEqual(['pci-dss']);
    expect(hook('report-summary-fail').dataset['value']).toBe('1');
    const failed = document.querySelector<HTMLElement>('[data-test=report-control][data-state=fail] button');
    if (failed === null) throw new Error('no failed control');
    await fireEvent.click(failed);
    expect(document.querySelectorAll('[data-test=report-exception]')).toHaveLength(9);
    await fireEvent.click(hook('report-period-quarter'));
    await waitFor(() => hook('report-outdated'));
  });

  it('shows the figures of a report without controls', async () => {
    await choose('report-framework', 'kpi');
    await fireEvent.submit(hook('report-form'));
    await waitFor(() => hook('report-document'));
    expect(hook('report-figure').textContent).toBe('4 h 05 min');
    expect(document.querySelector('[data-test=report-control]')).toBeNull();
  });

  it('asks what a report is about before it makes one', async () => {
    await choose('report-framework', 'incident');
    expect(hook<HTMLButtonElement>('report-preview').disabled).toBe(true);
    await fireEvent.input(hook('report-subject'), { target: { value: ' 12 ' } });
    await fireEvent.submit(hook('report-form'));
    await waitFor(() => hook('report-document'));
    expect(asked('report_preview')).toMatchObject([{ framework: 'incident', subject: '12' }]);
  });

  it('shows only the controls of one state', async () => {
    await fireEvent.submit(hook('report-form'));
    await waitFor(() => hook('report-document'));
    await fireEvent.click(hook('report-summary-warn'));
    expect([...document.querySelectorAll('[data-test=report-control]')].map((row) => row.getAttribute('data-state'))).toEqual(['warn', 'warn']);
  });

  it('writes the files that have a path and shows their hashes', async () => {
    expect(hook<HTMLButtonElement>('report-produce').disabled).toBe(true);
    await fireEvent.input(hook('report-pdf-path'), { target: { value: '/tmp/a.pdf' } });
    await fireEvent.input(hook('report-csv-path'), { target: { value: '/tmp/a.csv' } });
    await fireEvent.submit(hook('report-produce-form'));
    await waitFor(() => hook('report-result'));
    expect(asked('report_generate')).toMatchObject([{ framework: 'soc2', files: [{ format: 'pdf', path: '/tmp/a.pdf' }, { format: 'csv', path: '/tmp/a.csv' }] }]);
    expect(document.querySelector('[data-test=report-file][data-format=csv]')?.getAttribute('data-sha256')).toHaveLength(64);
  });

  it('asks for the archive copy only where a PDF is written', async () => {
    const archive = hook<HTMLInputElement>('report-archive');
    expect(archive.disabled).toBe(true);
    const { DOCUMENT_POSITION_FOLLOWING: after } = Node;
    expect(archive.compareDocumentPosition(hook('report-csv-path')) & after, 'it is of the PDF, and stands below its path').toBe(after);
    await fireEvent.input(hook('report-pdf-path'), { target: { value: '/tmp/a.pdf' } });
    await waitFor(() => expect(archive.disabled).toBe(false));
    await fireEvent.click(archive);
    await fireEvent.submit(hook('report-produce-form'));
    await waitFor(() => hook('report-result'));
    expect(requests(platform, 'report_generate')).toMatchObject([{ archive: true, ticket: expect.stringMatching(/^window-/) }]);
  });

  it('keeps what is said about an exception', async () => {
    await fireEvent.submit(hook('report-form'));
    await waitFor(() => hook('report-document'));
    const failed = document.querySelector<HTMLElement>('[data-test=report-control][data-state=fail] button');
    if (failed === null) throw new Error('no failed control');
    await fireEvent.click(failed);
    expect(hook<HTMLButtonElement>('report-comment-save').disabled).toBe(true);
    const beside = document.querySelector<HTMLElement>('[data-test=report-comment-row]');
    if (beside === null) throw new Error('no exception to speak of');
    await fireEvent.click(beside);
    await fireEvent.input(hook('report-comment-text'), { target: { value: ' A test account. ' } });
    await fireEvent.submit(hook('report-comment-form'));
    await waitFor(() => hook('report-comment'));
    const [asked] = requests(platform, 'report_comment_add') as { row: string[]; text: string }[];
    expect(asked?.text).toBe('A test account.');
    expect(asked?.row[0]).toBe('#3');
    expect(hook('report-comment').textContent).toContain('#3');
  });

  it('fills every path from one folder', async () => {
    platform.picked = '/home/mara/Reports/';
    await fireEvent.click(hook('report-folder'));
    await waitFor(() => expect(hook<HTMLInputElement>('report-markdown-path').value).toBe('/home/mara/Reports/soc2-2.md'));
    await fireEvent.submit(hook('report-produce-form'));
    await waitFor(() => hook('report-result'));
    const [asked] = requests(platform, 'report_generate') as { files: { replace: boolean }[] }[];
    expect(asked?.files.map((file) => file.replace), 'nobody was asked').toEqual([false, false, false, false]);
  });

  it('writes over a file only when the save dialog has asked', async () => {
    platform.picked = '/home/mara/soc2.pdf';
    await fireEvent.click(hook('report-pdf-browse'));
    await waitFor(() => expect(hook<HTMLInputElement>('report-pdf-path').value).toBe('/home/mara/soc2.pdf'));
    await fireEvent.input(hook('report-csv-path'), { target: { value: '/home/mara/soc2.csv' } });
    await fireEvent.submit(hook('report-produce-form'));
    await waitFor(() => hook('report-result'));
    expect(requests(platform, 'report_generate')).toMatchObject([{ files: [{ format: 'pdf', replace: true }, { format: 'csv', replace: false }] }]);
  });

  it('asks for whole days of one’s own, in UTC', async () => {
    await fireEvent.click(hook('report-period-custom'));
    await fireEvent.input(hook('report-from'), { target: { value: '2026-02-01' } });
    await fireEvent.input(hook('report-to'), { target: { value: '2026-01-01' } });
    expect(hook<HTMLButtonElement>('report-preview').disabled).toBe(true);
    expect(hook('report-form').textContent).toContain('The last day must not be before the first.');
    await fireEvent.input(hook('report-to'), { target: { value: '' } });
    expect(hook<HTMLInputElement>('report-to').value, 'it can be emptied').toBe('');
    expect(hook<HTMLButtonElement>('report-preview').disabled).toBe(true);
    await fireEvent.input(hook('report-from'), { target: { value: '31.02.2026' } });
    await fireEvent.input(hook('report-to'), { target: { value: '2026-02-02' } });
    await fireEvent.blur(hook('report-to'));
    expect(described('report-to'), 'what is wrong with the first day is said there').not.toContain('before the first');
    await fireEvent.input(hook('report-from'), { target: { value: '2026-02-01' } });
    await fireEvent.keyDown(hook('report-to'), { key: 'ArrowUp' });
    await fireEvent.submit(hook('report-form'));
    await waitFor(() => expect(asked('report_preview').map((request) => request.period)).toEqual([{ from: '2026-02-01T00:00:00.000Z', to: '2026-02-04T00:00:00.000Z' }]));
  });

  it('adds, runs, pauses and removes a schedule', async () => {
    await fireEvent.click(hook('reports-tab-schedules'));
    await waitFor(() => hook('schedule-row'));
    const rows = () => [...document.querySelectorAll<HTMLElement>('[data-test=schedule-row]')];
    expect(rows().map((row) => row.querySelector('[data-test=schedule-went]')?.getAttribute('data-outcome'))).toEqual(['made', 'failed']);
    expect(hook<HTMLButtonElement>('schedule-add').disabled).toBe(true);
    await choose('schedule-framework', 'incident');
    await type('schedule-folder', ' /srv/incident ');
    expect(hook<HTMLButtonElement>('schedule-add').disabled).toBe(true);
    await type('schedule-subject', '12');
    await fireEvent.click(hook('schedule-cadence-quarterly'));
    await fireEvent.click(hook('schedule-csv'));
    await fireEvent.submit(hook('schedule-form'));
    await waitFor(() => expect(rows()).toHaveLength(3));
    expect(requests(platform, 'report_schedule_add')).toEqual([{ framework: 'incident', subject: '12', cadence: 'quarterly', formats: ['pdf', 'json'], archive: true, folder: '/srv/incident' }]);
    const press = async (name: string) => fireEvent.click(rows()[2]?.querySelector(`[data-test=${name}]`) ?? document.body);
    await press('schedule-run');
    await waitFor(() => expect(rows()[2]?.querySelector('[data-outcome=made]')).not.toBeNull());
    await press('schedule-pause');
    await waitFor(() => expect(rows()[2]?.dataset['paused']).toBe('true'));
    await press('schedule-pause');
    await waitFor(() => expect(rows()[2]?.dataset['paused']).toBe('false'));
    await press('schedule-remove');
    await waitFor(() => expect(rows()).toHaveLength(2));
  });

  it('stops what takes too long, and says so', async () => {
    let letGo = (): void => undefined;
    const gate = new Promise<void>((resolve) => (letGo = resolve));
    platform.answers.report_generate = async () => {
      await gate;
      const failure: unknown = { code: 'cancelled', message: 'the report was stopped; no file was written' };
      throw failure;
    };
    platform.answers.report_cancel = () => {
      letGo();
      return { step: 'charts', done: 3, total: 24, running: true };
    };
    await type('report-pdf-path', '/tmp/b.pdf');
    await fireEvent.submit(hook('report-produce-form'));
    await waitFor(() => hook('report-stop'));
    await waitFor(() => expect(hook('report-produce-form').textContent, 'how far it is').toContain('3 of 24'), { timeout: 2_000 });
    await fireEvent.click(hook('report-stop'));
    await waitFor(() => expect(hook('report-fault').textContent).toContain('no file was written'));
    const [asked] = requests(platform, 'report_generate') as { ticket: string }[];
    expect(requests(platform, 'report_cancel')).toEqual([{ ticket: asked?.ticket }]);
    expect(document.querySelector('[data-test=report-stop], [data-test=report-result]')).toBeNull();
  });

  it('tells how far a preview is, stops it on demand, and gives it up for another', async () => {
    const gates: ((stop: boolean) => void)[] = [];
    const answer = platform.answers.report_preview;
    platform.answers.report_preview = async (request) => {
      const stop = await new Promise<boolean>((resolve) => gates.push(resolve));
      if (!stop && answer !== undefined) return answer(request);
      const failure: unknown = { code: 'cancelled', message: 'the report was stopped' };
      throw failure;
    };
    platform.answers.report_cancel = () => {
      gates.at(-1)?.(true);
      return { step: 'charts', done: 3, total: 24, running: true };
    };
    const tickets = (name: string): (string | undefined)[] => (requests(platform, name) as { ticket?: string }[]).map((request) => request.ticket);
    await fireEvent.submit(hook('report-form'));
    await waitFor(() => expect(hook('report-preview-running').textContent, 'how far it is').toContain('3 of 24'), { timeout: 2_000 });
    await fireEvent.click(hook('report-preview-stop'));
    await waitFor(() => hook('report-none'));
    expect(tickets('report_cancel')).toEqual(tickets('report_preview'));
    expect(document.querySelector('[data-test=report-preview-fault]'), 'whoever stopped it knows').toBeNull();
    expect(hook<HTMLButtonElement>('report-preview').disabled).toBe(false);
    await fireEvent.submit(hook('report-form'));
    await waitFor(() => expect(gates).toHaveLength(2));
    await choose('report-framework', 'pci-dss');
    await waitFor(() => expect(gates, 'the other one was stopped, this one began').toHaveLength(3), { timeout: 3_000 });
    expect(tickets('report_cancel')).toEqual(tickets('report_preview').slice(0, 2));
    gates.at(-1)?.(false);
    await waitFor(() => hook('report-document'));
    expect(asked('report_preview').map((request) => request.framework)).toEqual(['soc2', 'soc2', 'pci-dss']);
  });

  it('saves a copy of what was made into a folder, and nothing when none is chosen', async () => {
    await fireEvent.click(hook('reports-tab-history'));
    await waitFor(() => hook('report-row'));
    await fireEvent.click(hook('report-row').querySelector('button') ?? document.body);
    await waitFor(() => hook('report-copy'));
    await fireEvent.click(hook('report-copy'));
    await waitFor(() => expect(hook<HTMLButtonElement>('report-copy').disabled).toBe(false));
    expect(requests(platform, 'report_copy')).toEqual([]);
    platform.picked = '/mnt/share/';
    await fireEvent.click(hook('report-copy'));
    await waitFor(() => hook('report-copied'));
    expect(requests(platform, 'report_copy')).toMatchObject([{ files: [{ format: 'pdf', path: '/mnt/share/soc2-2.pdf', replace: false }, { format: 'csv', path: '/mnt/share/soc2-2.csv' }], archive: false }]);
    expect(hook('report-copied').textContent).toContain('/mnt/share/soc2-2.pdf');
  });

  it('makes a report again, compares it with an earlier one, and says who may approve it', async () => {
    await type('report-pdf-path', '/tmp/b.pdf');
    await fireEvent.submit(hook('report-produce-form'));
    await waitFor(() => hook('report-result'));
    await fireEvent.click(hook('reports-tab-history'));
    await waitFor(() => hook('report-row'));
    await fireEvent.click(hook('report-row').querySelector('button') ?? document.body);
    await fireEvent.click(hook('report-compare'));
    await waitFor(() => hook('report-changes'));
    expect(hook('report-change').textContent).toContain('CC7.3');
    await type('report-approve-note', ' Looked at all. ');
    await fireEvent.submit(hook('report-approve-form'));
    await waitFor(() => expect(hook('report-review-fault').textContent).toContain('second person'));
    expect(requests(platform, 'report_approve')).toMatchObject([{ note: 'Looked at all.' }]);
    await fireEvent.click(hook('report-again'));
    await waitFor(() => expect(asked('report_generate')).toHaveLength(2));
    expect(requests(platform, 'report_generate')[1]).toMatchObject({ framework: 'soc2', archive: false, files: [{ format: 'pdf', path: expect.stringMatching(/^\/tmp\/b-\d{8}-\d{6}\.pdf$/) }] });
  });
});
