import { fireEvent, render, waitFor } from '@testing-library/svelte';
import { tick } from 'svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import Shell from '../app.svelte';
import { demoPlatform } from '$ui/platform/demo/index';
import type { FakePlatform } from '$ui/platform/fake';
import { App } from '$ui/state/app.svelte';
import { router } from '$ui/state/router.svelte';
import { hook, requests, type } from '$ui/test-hook';
import { Idle } from './idle';
import { panels } from './panels';

describe('Idle', () => {
  beforeEach(() => localStorage.removeItem('watchpost.active'));

  it('is over after the minutes without a sign, here and at the other windows', () => {
    let now = 0;
    const here = new Idle(() => now);
    const there = new Idle(() => now);
    now = 59_999;
    expect(here.isOver(1)).toBe(false);
    now = 60_000;
    expect(here.isOver(1)).toBe(true);
    there.touch();
    expect(here.isOver(1), 'somebody is at the other window').toBe(false);
    localStorage.setItem('watchpost.active', '99999999999999');
    now = 120_000;
    expect(here.isOver(1), 'a time ahead of the clock says nothing').toBe(true);
  });
});

describe('a locked window', () => {
  let platform: FakePlatform;
  let app: App;

  beforeEach(async () => {
    router.replace('incidents', null, {});
    platform = demoPlatform(new URLSearchParams());
    app = new App(platform);
    await panels.incidents.view.load();
    await app.live.look();
    render(Shell, { app });
    await waitFor(() => hook('incident-row'));
  });

  afterEach(() => vi.useRealTimers());

  it('holds nothing but the question for the passphrase, and comes back', async () => {
    platform.answers.window_unlock = ({ passphrase }) => {
      const error: unknown = { code: 'permission', message: 'the passphrase is wrong', field: 'passphrase' };
      if (passphrase !== 'correct horse') throw error;
      return { minutes: 15, locked: false, wait_s: 0, detail: '' };
    };
    const { status } = app.live;
    if (status === undefined) throw new Error('the demo has a status');
    platform.push({ changed: [], jobs: [], status, locked: true });
    await waitFor(() => hook('lock-screen'));
    await tick();
    expect(document.querySelectorAll('main')).toHaveLength(1);
    expect(document.querySelector('[data-test=incident-row], .shell, nav')).toBeNull();
    expect(document.title).toBe('Watchpost');
    const before = platform.calls.length;
    await fireEvent.keyDown(document.body, { key: 'k', ctrlKey: true });
    await fireEvent.keyDown(document.body, { key: 'R' });
    expect(document.querySelector('[data-test=palette-input]')).toBeNull();
    expect(platform.calls.slice(before).filter((call) => call.name !== 'window_lock_get')).toEqual([]);

    expect(document.querySelector('[data-test=lock-unread]')).toBeNull();
    await type('lock-passphrase', 'wrong');
    await fireEvent.click(hook('lock-open'));
    await waitFor(() => expect(hook('lock-fault').textContent).toContain('The passphrase is wrong'));
    await type('lock-passphrase', 'correct horse');
    await fireEvent.click(hook('lock-open'));
    await waitFor(() => hook('incident-row'));
    expect(document.querySelector('[data-test=lock-screen]')).toBeNull();
    expect(requests(platform, 'window_unlock')).toEqual([{ passphrase: 'wrong' }, { passphrase: 'correct horse' }]);
  });

  it('says why it is locked when the keychain did not answer at the start, and how to go on', async () => {
    platform.answers.window_lock_get = () => ({ minutes: 15, locked: true, wait_s: 0, detail: '', unread: 'timed_out' });
    const { status } = app.live;
    if (status === undefined) throw new Error('the demo has a status');
    platform.push({ changed: [], jobs: [], status, locked: true });
    await waitFor(() => expect(hook('lock-unread').textContent).toContain('(No answer)'));
    expect(hook('lock-unread').getAttribute('role')).toBe('status');
    await type('lock-passphrase', 'correct horse');
    await fireEvent.click(hook('lock-open'));
    await waitFor(() => hook('incident-row'));
  });
});
