import { fireEvent, render, waitFor } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ControlResult } from '$ui/generated/model';
import { demoPlatform } from '$ui/platform/demo/index';
import type { FakePlatform } from '$ui/platform/fake';
import { App, appContext } from '$ui/state/app.svelte';
import { hook, requests, type } from '$ui/test-hook';
import ControlRow from './control-row.svelte';

const HOSTILE = 'eve\u202efdp.exe';
const CONTROL: ControlResult = {
  id: 'CC6.1',
  title: 'Access',
  text: '',
  state: 'fail',
  reason: '2 exceptions',
  population: 40,
  warnings: 0,
  exceptions: 2,
  checks: [
    {
      what: '',
      query: 'accounts_personal',
      parameters: [],
      state: 'fail',
      reason: '',
      rule: '',
      population: 40,
      warnings: 0,
      exceptions: 2,
      basis: '',
      text: '',
      columns: ['user', 'failures'],
      rows: [
        [HOSTILE, '12'],
        ['dana', '9'],
      ],
      sample: { seed: '', positions: [], columns: [], rows: [] },
    },
  ],
  remedy: '',
  attest: null,
  proofs: [],
};

let platform: FakePlatform;
let app: App;

beforeEach(async () => {
  platform = demoPlatform();
  app = new App(platform);
  render(ControlRow, { props: { control: CONTROL, framework: 'soc2', period: { from: '2026-01-01T00:00:00Z', to: '2026-02-01T00:00:00Z' } }, context: appContext(app) });
  await fireEvent.click(hook('report-control').querySelector('button') ?? document.body);
});

function beside(index: number): HTMLElement {
  const found = document.querySelectorAll<HTMLElement>('[data-test=report-comment-row]')[index];
  if (found === undefined) throw new Error(`no exception ${index}`);
  return found;
}

describe('a comment on a control', () => {
  it('is written where the focus went, about the exception that was chosen, and then about the whole again', async () => {
    await fireEvent.click(beside(1));
    await waitFor(() => expect(document.activeElement).toBe(hook('report-comment-text')));
    const about = document.getElementById(hook('report-comment-text').getAttribute('aria-describedby') ?? '');
    expect(about?.textContent).toBe('About the exception dana / 9');
    await type('report-comment-text', 'Our own scanner');
    await fireEvent.submit(hook('report-comment-form'));
    await waitFor(() => hook('report-comment'));
    await type('report-comment-text', 'Looked at on Monday');
    await fireEvent.submit(hook('report-comment-form'));
    await waitFor(() => expect(requests(platform, 'report_comment_add')).toMatchObject([{ row: ['dana', '9'], period: { from: '2026-01-01T00:00:00Z' } }, { row: [] }]));
    const words = () => [...document.querySelectorAll('[data-test=report-comment]')].map((one) => one.textContent);
    await waitFor(() => expect(words()).toHaveLength(2));
    await fireEvent.click(document.querySelector('[data-test=report-comment-withdraw]') ?? document.body);
    await waitFor(() => expect(words()).toHaveLength(1));
    expect(words()[0]).toContain('Looked at on Monday');
    expect(requests(platform, 'report_comment_withdraw')).toHaveLength(1);
  });

  it('can go back to the control as a whole, and to the same exception', async () => {
    await fireEvent.click(beside(1));
    await fireEvent.click(hook('report-comment-whole'));
    expect(hook('report-comment-form').textContent).toContain('About the control as a whole');
    expect(document.querySelector('[data-test=report-comment-whole]')).toBeNull();
    hook('report-comment-text').blur();
    await fireEvent.click(beside(1));
    await waitFor(() => expect(document.activeElement).toBe(hook('report-comment-text')));
  });

  it('shows what attackers wrote for what it is', async () => {
    await fireEvent.click(beside(0));
    expect(hook('report-comment-form').textContent).toContain('eve\\u{202e}fdp.exe / 12');
    expect(beside(0).getAttribute('aria-label')).toBe('Comment on eve\\u{202e}fdp.exe / 12');
  });

  it('says beside the form that it was not kept, and keeps the words', async () => {
    platform.answers.report_comment_add = () => {
      const failure: unknown = { code: 'unavailable', message: 'the database does not answer' };
      throw failure;
    };
    await type('report-comment-text', 'Our own scanner');
    await fireEvent.submit(hook('report-comment-form'));
    await waitFor(() => expect(hook('report-comment-fault').textContent).toContain('The database does not answer'));
    expect(hook<HTMLTextAreaElement>('report-comment-text').value).toBe('Our own scanner');
    expect(app.toasts.shown).toHaveLength(0);
  });
});
