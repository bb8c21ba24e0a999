import { fireEvent, render, waitFor } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ApprovalList } from '$ui/generated/model';
import { demoPlatform } from '$ui/platform/demo/index';
import type { FakePlatform } from '$ui/platform/fake';
import { App, appContext } from '$ui/state/app.svelte';
import { described, hook, requests, type } from '$ui/test-hook';
import SettingsView from './settings-view.svelte';

let platform: FakePlatform;
let app: App;
let view: { unmount: () => void };

async function enter(): Promise<void> {
  view = render(SettingsView, { context: appContext(app) });
  await waitFor(() => hook('connection-add'));
  await waitFor(() => hook('settings-form'));
}

beforeEach(async () => {
  platform = demoPlatform();
  app = new App(platform);
  await enter();
});

describe('settings', () => {
  it('fills the fields from a URL and forgets the URL', async () => {
    await fireEvent.click(hook('connection-add'));
    await waitFor(() => hook('connection-url'));
    await type('connection-url', 'rediss://watchpost:secret@redis.shop.example:6379/0');
    await fireEvent.click(hook('connection-parse'));
    await waitFor(() => expect(hook<HTMLInputElement>('redis-host').value).toBe('redis.shop.example'));
    expect(hook<HTMLInputElement>('redis-password').value).toBe('secret');
    expect(hook<HTMLInputElement>('connection-url').value).toBe('');
    await fireEvent.click(hook('connection-save'));
    await waitFor(() => expect(requests(platform, 'connection_save')).toMatchObject([{ id: null, redis_password: { kind: 'set', value: 'secret' }, database: { kind: 'sqlite', path: null }, production: false }]));
    await waitFor(() => expect(document.querySelector('[data-test=connection-save]'), 'the dialog closes').toBeNull());
  });

  it('marks what is missing and sends nothing', async () => {
    await fireEvent.click(hook('connection-add'));
    await waitFor(() => hook('connection-save'));
    await fireEvent.click(hook('connection-save'));
    expect(hook('redis-host').getAttribute('aria-invalid')).toBe('true');
    expect(hook('connection-name').getAttribute('aria-invalid')).toBe('true');
    expect(requests(platform, 'connection_save')).toEqual([]);
  });

  it('shows each step of a test with its hint, and that it is out of date after a change', async () => {
    await fireEvent.click(hook('connection-edit'));
    await waitFor(() => hook('connection-test'));
    await fireEvent.click(hook('connection-test'));
    await waitFor(() => expect(hook('connection-check').dataset['ok']).toBe('false'));
    const failed = hook('connection-check-redis').querySelector('[data-state=failed]');
    expect(failed?.getAttribute('data-step')).toBe('auth');
    expect(failed?.textContent).toContain('the password is another one');
    await type('redis-port', '6380');
    expect(hook('connection-check').textContent).toContain('The fields have changed');
  });

  it('saves retention as numbers and refuses an archive shorter than Redis', async () => {
    await type('retention-redis-api_usage', '40');
    expect(hook<HTMLButtonElement>('settings-save').disabled).toBe(true);
    expect([described('retention-redis-api_usage'), described('retention-archive-api_usage')], 'at the field that is wrong').toEqual(['', 'At least as long as in Redis.']);
    await type('retention-redis-api_usage', 'soon');
    expect([described('retention-redis-api_usage'), described('retention-archive-api_usage')]).toEqual(['A whole number from 1 to 3,650.', '']);
    await type('retention-redis-api_usage', '40');
    await type('retention-archive-api_usage', '60');
    await fireEvent.submit(hook('settings-form'));
    await waitFor(() => expect(requests(platform, 'settings_put')).toHaveLength(1));
    expect(requests(platform, 'settings_put')[0]).toMatchObject({ organisation: 'Example Shop GmbH', retention: expect.arrayContaining([{ category: 'api_usage', redis_days: 40, archive_days: 60 }]) });
  });
});

describe('what was typed and not saved', () => {
  const value = (name: string): string => hook<HTMLInputElement>(name).value;

  it('is there again, also where it is wrong, and can be discarded', async () => {
    for (const part of ['lines-keep', 'sealing-fields', 'records-reads', 'policy-add', 'lock-new', 'risk-half-life', 'asset-pattern']) await waitFor(() => hook(part));
    const before = Object.fromEntries(['settings-organisation', 'lines-keep', 'sealing-fields', 'records-reads', 'lock-minutes', 'risk-half-life'].map((name) => [name, value(name)]));
    const [line] = document.querySelectorAll<HTMLElement>('[data-test^=line-warning-]');
    const first = line?.dataset['test'] ?? '';
    const typed = { 'settings-organisation': 'Another shop', 'retention-redis-api_usage': 'soon', 'lines-keep': '0', [first]: 'much', 'sealing-fields': 'iban', 'records-reads': '101', 'lock-minutes': '999', 'risk-half-life': 'x', 'asset-pattern': '/admin' };
    for (const [name, text] of Object.entries(typed)) await type(name, text);
    await type('settings-reason', 'half a reason');
    await type('lock-new', 'correct horse');
    const rules = document.querySelectorAll('[data-test=policy-severity]').length;
    await fireEvent.click(hook('policy-add'));
    view.unmount();
    await enter();
    await waitFor(() => expect(Object.fromEntries(Object.keys(typed).map((name) => [name, value(name)]))).toEqual(typed));
    expect(value('settings-reason')).toBe('half a reason');
    expect(hook<HTMLDetailsElement>('lines-all').open, 'what was left is in sight').toBe(true);
    await waitFor(() => expect(document.querySelectorAll('[data-test=policy-severity]')).toHaveLength(rules + 1));
    expect(value('lock-new'), 'no passphrase is kept').toBe('');
    expect(described('records-reads'), 'it is as wrong as before').toBe('A whole number from 0 to 100.');
    for (const form of ['settings', 'lines', 'sealing', 'records', 'policy', 'half-life']) await fireEvent.click(hook(`${form}-revert`));
    await type('lock-minutes', before['lock-minutes'] ?? '');
    expect(Object.fromEntries(Object.keys(before).map((name) => [name, value(name)]))).toEqual(before);
    view.unmount();
    await enter();
    await waitFor(() => hook('risk-half-life'));
    expect(Object.fromEntries(Object.keys(before).map((name) => [name, value(name)])), 'nothing of it is left').toEqual(before);
    expect(document.querySelectorAll('[data-test=policy-severity]')).toHaveLength(rules);
  });

  it('is gone when it was saved', async () => {
    await type('settings-organisation', 'Another shop');
    await fireEvent.submit(hook('settings-form'));
    await waitFor(() => expect(requests(platform, 'settings_put')).toHaveLength(1));
    await waitFor(() => expect(document.querySelector('[data-test=settings-revert]')).toBeNull());
    view.unmount();
    await enter();
    expect(document.querySelector('[data-test=settings-revert]')).toBeNull();
    expect(value('settings-organisation')).toBe('Another shop');
  });

  it('means nothing in another workspace', async () => {
    await type('settings-organisation', 'Another shop');
    view.unmount();
    app.live.workspace += 1;
    await enter();
    expect(value('settings-organisation')).not.toBe('Another shop');
  });
});

describe('the cards of the settings', () => {
  it('are listed in their order, the lock beside the keychain, and each is a press away', async () => {
    await waitFor(() => hook('lock-form'));
    const listed = [...document.querySelectorAll<HTMLElement>('[data-test=settings-jump]')];
    const shown = (): (string | null)[] => [...document.querySelectorAll('.page .card[aria-label]')].map((card) => card.getAttribute('aria-label'));
    await waitFor(() => expect(shown()).toEqual(listed.map((button) => button.textContent)));
    const jump = listed.find((button) => button.textContent === 'Window lock');
    if (jump === undefined) throw new Error('the lock is listed');
    await fireEvent.click(jump);
    expect(document.activeElement).toBe(hook('lock-form'));
  });
});

describe('people’s rights', () => {
  it('looks for a person, erases with a reason, and says what is left', async () => {
    await waitFor(() => hook('privacy-look'));
    await fireEvent.click(hook('privacy-look'));
    await type('privacy-subject', ' j.doe ');
    expect(document.querySelector('[data-test=privacy-reason]'), 'first it is looked for').toBeNull();
    expect(hook<HTMLButtonElement>('privacy-erase').disabled).toBe(true);
    await fireEvent.click(hook('privacy-look-do'));
    await waitFor(() => expect(requests(platform, 'privacy_preview')).toEqual([{ kind: 'user', subject: 'j.doe' }]));
    await waitFor(() => hook('privacy-reason'));
    expect(hook<HTMLButtonElement>('privacy-erase').disabled, 'a reason is wanted').toBe(true);
    await type('privacy-reason', 'request 12');
    await fireEvent.click(hook('privacy-erase'));
    await waitFor(() => expect(requests(platform, 'privacy_erase')).toEqual([{ kind: 'user', subject: 'j.doe', reason: 'request 12' }]));
    await waitFor(() => expect(hook('privacy-erased').dataset['clean']).toBe('true'));
    expect([...document.querySelectorAll<HTMLElement>('[data-test=privacy-place]')].map((row) => row.dataset['state'])).toEqual(['out_of_reach', 'clean', 'clean']);
    expect(hook<HTMLButtonElement>('privacy-erase').disabled, 'once').toBe(true);
  });

  it('places a hold, and releases one with a reason', async () => {
    await waitFor(() => hook('privacy-hold-add'));
    await fireEvent.click(hook('privacy-hold-add'));
    await type('privacy-subject', '203.0.113.7');
    await fireEvent.click(hook('privacy-kind-ip'));
    await type('privacy-owner', 'legal');
    await type('privacy-reason', 'case 8');
    await fireEvent.click(hook('privacy-send'));
    await waitFor(() => expect(requests(platform, 'hold_add')).toEqual([{ kind: 'ip', subject: '203.0.113.7', reason: 'case 8', owner: 'legal' }]));
    await waitFor(() => expect(document.querySelectorAll('[data-test=privacy-hold]').length).toBe(2));
    const release = document.querySelector<HTMLElement>('[data-test=privacy-release]');
    await fireEvent.click(release ?? hook('privacy-release'));
    await type('privacy-reason', 'closed');
    await fireEvent.click(hook('privacy-send'));
    await waitFor(() => expect(requests(platform, 'hold_release')).toEqual([{ id: 'b41d7e20', reason: 'closed' }]));
  });
});

describe('a second person', () => {
  it('shows what waits and lets it be approved with a note', async () => {
    await waitFor(() => expect(document.querySelectorAll('[data-test=approval]').length).toBe(2));
    expect(hook('four-eyes').dataset['state']).toBe('in_force');
    await fireEvent.click(hook('approval-grant'));
    await waitFor(() => hook('approval-note'));
    expect(hook('approval-dialog').textContent, 'the request is shown whole').toContain('credential stuffing');
    await type('approval-note', ' looked at it ');
    await fireEvent.click(hook('approval-send'));
    await waitFor(() => expect(requests(platform, 'approval_grant')).toEqual([{ id: '4be1a09c77d2f310', note: 'looked at it' }]));
    await waitFor(() => expect(document.querySelector('[data-id="4be1a09c77d2f310"]')?.getAttribute('data-state')).toBe('done'));
  });

  it('names a row that cannot be read, as text, beside the others', async () => {
    const { approval_list: answer } = platform.answers;
    platform.answers.approval_list = async (request) => ({ ...(await answer?.(request)) as ApprovalList, unreadable: [{ id: '<b>bad</b>\u{202e}', problem: 'state: "bogus" is not one of waiting' }] });
    await fireEvent.click(hook('four-eyes-switch'));
    await waitFor(() => hook('approvals-unreadable'));
    const told = hook('approvals-unreadable');
    expect(told.textContent).toContain('"bogus" is not one of waiting');
    expect(told.textContent).not.toContain('\u{202e}');
    expect(told.querySelector('b'), 'it stays text').toBeNull();
    expect(document.querySelectorAll('[data-test=approval]').length).toBe(2);
  });

  it('switches the rule', async () => {
    await waitFor(() => hook('four-eyes-switch'));
    await fireEvent.click(hook('four-eyes-switch'));
    await waitFor(() => expect(requests(platform, 'approval_policy_put')).toEqual([{ policy: { on: false, prefix_v4: 24, prefix_v6: 48 } }]));
  });
});
