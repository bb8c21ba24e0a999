import { fireEvent, render, waitFor } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';
import { demoPlatform } from '$ui/platform/demo/index';
import type { FakePlatform } from '$ui/platform/fake';
import { App, appContext } from '$ui/state/app.svelte';
import { choose, hook } from '$ui/test-hook';
import AuditView from './audit-view.svelte';

let platform: FakePlatform;

beforeEach(async () => {
  platform = demoPlatform();
  render(AuditView, { context: appContext(new App(platform)) });
  await waitFor(() => hook('audit-row'));
});

describe('the audit trail', () => {
  it('is newest first and filters at the backend', async () => {
    expect(hook('audit-row').dataset['seq']).toBe('4811');
    await choose('audit-outcome', 'denied');
    await waitFor(() => expect(new Set([...document.querySelectorAll('[data-test=audit-row]')].map((row) => row.getAttribute('data-outcome')))).toEqual(new Set(['denied'])));
    expect(platform.calls.findLast((call) => call.name === 'audit_page')?.request).toMatchObject({ filter: { outcome: 'denied', text: null }, before: null });
  });

  it('opens a record to before and after and its leaf hash', async () => {
    const changed = document.querySelector<HTMLElement>('[data-test=audit-row][data-action=settings_put][data-outcome=success]');
    if (changed === null) throw new Error('no such record');
    await fireEvent.click(changed);
    await waitFor(() => hook('audit-diff'));
    expect(hook('audit-diff').querySelector('del')?.textContent).toBe('3');
    expect(hook('audit-diff').querySelector('ins')?.textContent).toBe('1');
    expect(hook('audit-leaf-hash').textContent).toMatch(/^[\da-f]{64}$/);
  });

  it('verifies and says what that is worth', async () => {
    await fireEvent.click(hook('audit-verify'));
    await waitFor(() => expect(hook('audit-verification').dataset['ok']).toBe('true'));
    expect(hook('audit-strength').dataset['strength']).toBe('local_only');
    expect(hook('audit-root').textContent).not.toBe('');
  });

  it('does not soften a trail that does not hold', async () => {
    platform.answers.audit_verify = () => ({ ok: false, leaves: 10, root: 'x', checkpoints: 1, first_bad_seq: 7, problems: ['record 7 was changed'], strength: 'session_key' });
    await fireEvent.click(hook('audit-verify'));
    await waitFor(() => expect(hook('audit-verification').dataset['ok']).toBe('false'));
    expect(hook('audit-problems').textContent).toContain('record 7 was changed');
    expect(hook('audit-problems').textContent).toContain('#7');
  });

  it('gives the newest checkpoint away', async () => {
    await fireEvent.click(hook('audit-checkpoint-copy'));
    await waitFor(() => expect(platform.copied[0]).toContain('watchpost/shop-production\n4806\n'));
  });
});
