// A new connection: what is typed is tried before it is kept, and each step says how it went.

import { fireEvent, render, waitFor } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ConnectionCheck } from '$ui/generated/model';
import { CHECK } from '$ui/platform/demo/console';
import { demoPlatform } from '$ui/platform/demo/index';
import type { FakePlatform } from '$ui/platform/fake';
import { App, appContext } from '$ui/state/app.svelte';
import { hook, requests, type } from '$ui/test-hook';
import SettingsView from '$ui/views/settings/settings-view.svelte';

let platform: FakePlatform;

async function open(answer: () => ConnectionCheck): Promise<void> {
  platform = demoPlatform();
  platform.answers.connection_test = answer;
  render(SettingsView, { context: appContext(new App(platform)) });
  await waitFor(() => hook('connection-add'));
  await fireEvent.click(hook('connection-add'));
  await waitFor(() => hook('redis-host'));
  await type('connection-name', 'shop');
  await type('redis-host', 'redis.shop.example');
}

describe('a new connection', () => {
  beforeEach(() => localStorage.clear());

  it('is tried step by step, and says what to do about the one that failed', async () => {
    await open(() => CHECK);
    await fireEvent.click(hook('connection-test'));
    await waitFor(() => hook('check-step'));
    const steps = [...document.querySelectorAll<HTMLElement>('[data-test=check-step]')];
    expect(steps.map((step) => step.dataset['state'])).toEqual([...CHECK.redis, ...CHECK.database].map((step) => step.state));
    expect(document.body.textContent).toContain('Renew the certificate of the server');
    expect(requests(platform, 'connection_test')).toMatchObject([{ name: 'shop', redis: { address: { kind: 'tcp', host: 'redis.shop.example' } } }]);
    expect(requests(platform, 'connection_save'), 'trying keeps nothing').toEqual([]);
  });

  it('says why it could not be tried', async () => {
    await open(() => {
      const failure: unknown = { code: 'timeout', message: 'no answer within 5 s' };
      throw failure;
    });
    await fireEvent.click(hook('connection-test'));
    await waitFor(() => expect(document.querySelector('dialog[open]')?.textContent).toContain('No answer within 5 s'));
    expect(hook<HTMLInputElement>('redis-host').value, 'what was typed is kept').toBe('redis.shop.example');
  });
});
