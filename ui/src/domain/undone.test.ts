// What is taken back: a suppression, a containment, an entry of the allowlist. Each says who did it and why.

import { fireEvent, render, waitFor } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ResponseAction, ResponseState } from '$ui/generated/model';
import { demoPlatform } from '$ui/platform/demo/index';
import type { FakePlatform } from '$ui/platform/fake';
import { App, appContext } from '$ui/state/app.svelte';
import { router } from '$ui/state/router.svelte';
import { hook, requests, type } from '$ui/test-hook';
import BlocklistView from '$ui/views/blocklist/blocklist-view.svelte';
import RulesView from '$ui/views/rules/rules-view.svelte';

let platform: FakePlatform;

function refuse(code: string, message: string, field?: string): never {
  const failure: unknown = { code, message, ...(field === undefined ? {} : { field }) };
  throw failure;
}

function shown(name: string): HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>(`[data-test=${name}]`)];
}

beforeEach(() => {
  platform = demoPlatform();
});

describe('a suppression', () => {
  beforeEach(async () => {
    await platform.call('suppression_add', { scope: { rule: 'wp.sqli.union' }, owner: null, reason: 'A scanner of ours', expires_at: new Date(Date.now() + 3_600_000).toISOString() });
    router.go('rules', null, { tab: 'suppressions' });
    render(RulesView, { context: appContext(new App(platform)) });
    await waitFor(() => hook('suppression-remove'));
  });

  it('ends with a reason, and no longer counts as in force', async () => {
    const before = shown('suppression-row').filter((row) => row.dataset['force'] === 'true').length;
    await fireEvent.click(hook('suppression-remove'));
    await waitFor(() => hook('unsuppress-reason'));
    expect(hook<HTMLButtonElement>('unsuppress-confirm').disabled, 'not without a reason').toBe(true);
    await type('unsuppress-reason', ' The scanner is gone ');
    await fireEvent.click(hook('unsuppress-confirm'));
    await waitFor(() => expect(requests(platform, 'suppression_remove')).toMatchObject([{ reason: 'The scanner is gone' }]));
    await waitFor(() => expect(document.querySelector('dialog[open]')).toBeNull());
    await waitFor(() => expect(shown('suppression-row').filter((row) => row.dataset['force'] === 'true')).toHaveLength(before - 1));
  });

  it('says in the dialog why it could not be ended', async () => {
    platform.answers.suppression_remove = () => refuse('conflict', 'jonas has ended it already');
    await fireEvent.click(hook('suppression-remove'));
    await waitFor(() => hook('unsuppress-reason'));
    await type('unsuppress-reason', 'x');
    await fireEvent.click(hook('unsuppress-confirm'));
    await waitFor(() => expect(hook('unsuppress-dialog').textContent).toContain('Jonas has ended it already'));
    expect(hook<HTMLInputElement>('unsuppress-reason').value, 'what was written is kept').toBe('x');
  });
});

describe('the blocklist', () => {
  async function open(tab: string): Promise<void> {
    router.go('blocklist', null, { tab });
    render(BlocklistView, { context: appContext(new App(platform)) });
    await waitFor(() => hook(`blocks-tab-${tab}`));
    await fireEvent.click(hook(`blocks-tab-${tab}`));
  }

  it('releases what is contained, with a reason', async () => {
    await platform.call('contain_add', { kind: 'user', target: 'mara', reason: 'Logins from two countries', ttl_s: 3_600, per_min: null, incident: null });
    await open('contained');
    await waitFor(() => hook('contain-release'));
    await fireEvent.click(hook('contain-release'));
    await waitFor(() => hook('release-reason'));
    await type('release-reason', 'Password was changed');
    await fireEvent.click(hook('release-confirm'));
    await waitFor(() => expect(requests(platform, 'contain_remove')).toMatchObject([{ reason: 'Password was changed' }]));
    await waitFor(() => expect(document.querySelector('dialog[open]')).toBeNull());
  });

  it('takes back what the engine did by itself, with a reason, and offers it for nothing else', async () => {
    const action = (state: ResponseState, effect: string | null): ResponseAction => ({ id: state, kind: 'block_ip', target: '203.0.113.7', state, incident: '1', number: 42, finding: '1', rule_id: 'wp.sqli.union', policy_rule: 'critical and certain', ttl_s: 3_600, factor: 1, per_min: null, reason: 'UNION SELECT', detail: '', planned_at: '2026-11-21T00:00:00Z', decided_at: null, expires_at: null, effect, reversed_at: null, reversed_by: null });
    platform.answers.response_list = () => ({ rows: [action('done', 'block-1'), action('dry_run', null), action('failed', null)], next: null });
    platform.answers.response_reverse = () => action('reversed', null);
    await open('automatic');
    await waitFor(() => hook('response-reverse'));
    expect(shown('response-action').map((row) => [row.dataset['state'], row.querySelector('[data-test=response-reverse]') !== null])).toEqual([
      ['done', true],
      ['dry_run', false],
      ['failed', false],
    ]);
    await fireEvent.click(hook('response-reverse'));
    await waitFor(() => hook('reverse-reason'));
    await type('reverse-reason', 'Our own scanner');
    await fireEvent.click(hook('reverse-confirm'));
    await waitFor(() => expect(requests(platform, 'response_reverse')).toEqual([{ id: 'done', reason: 'Our own scanner' }]));
    await waitFor(() => expect(document.querySelector('dialog[open]')).toBeNull());
  });

  it('takes an address into the allowlist with a note, and out again', async () => {
    await open('allowlist');
    await waitFor(() => hook('allow-row'));
    const before = shown('allow-row').length;
    await type('allow-target', ' 192.0.2.77 ');
    await fireEvent.submit(hook('allow-form'));
    expect(hook('allow-note').getAttribute('aria-invalid'), 'somebody will ask why').toBe('true');
    expect(requests(platform, 'allow_add')).toEqual([]);
    await type('allow-note', 'Monitoring');
    await fireEvent.submit(hook('allow-form'));
    await waitFor(() => expect(requests(platform, 'allow_add')).toEqual([{ target: '192.0.2.77', note: 'Monitoring' }]));
    await waitFor(() => expect(shown('allow-row')).toHaveLength(before + 1));
    await waitFor(() => expect(hook<HTMLInputElement>('allow-target').value, 'ready for the next').toBe(''));
    const added = document.querySelector('[data-test=allow-row][data-target="192.0.2.77"] [data-test=allow-remove]');
    await fireEvent.click(added ?? document.body);
    await waitFor(() => expect(requests(platform, 'allow_remove')).toEqual([{ target: '192.0.2.77' }]));
    await waitFor(() => expect(shown('allow-row')).toHaveLength(before));
  });

  it('says at the field what is no address', async () => {
    platform.answers.allow_add = () => refuse('validation', '"x" is not an IP address or CIDR range', 'target');
    await open('allowlist');
    await waitFor(() => hook('allow-target'));
    await type('allow-target', 'x');
    await type('allow-note', 'y');
    await fireEvent.submit(hook('allow-form'));
    await waitFor(() => expect(hook('allow-target').getAttribute('aria-invalid')).toBe('true'));
    expect(hook('allow-form').textContent).toContain('is not an IP address');
    expect(hook<HTMLInputElement>('allow-note').value).toBe('y');
  });
});
