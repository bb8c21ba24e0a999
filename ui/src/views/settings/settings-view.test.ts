import { fireEvent, render, waitFor } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';
import { demoPlatform } from '$ui/platform/demo/index';
import type { FakePlatform } from '$ui/platform/fake';
import { App, appContext } from '$ui/state/app.svelte';
import { hook, requests, type } from '$ui/test-hook';
import SettingsView from './settings-view.svelte';

let platform: FakePlatform;

beforeEach(async () => {
  platform = demoPlatform();
  render(SettingsView, { context: appContext(new App(platform)) });
  await waitFor(() => hook('connection-add'));
  await waitFor(() => hook('settings-form'));
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
    await type('retention-archive-api_usage', '60');
    await fireEvent.submit(hook('settings-form'));
    await waitFor(() => expect(requests(platform, 'settings_put')).toHaveLength(1));
    expect(requests(platform, 'settings_put')[0]).toMatchObject({ organisation: 'Example Shop GmbH', retention: expect.arrayContaining([{ category: 'api_usage', redis_days: 40, archive_days: 60 }]) });
  });
});
