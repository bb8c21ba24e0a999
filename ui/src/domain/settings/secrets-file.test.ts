import { fireEvent, render, waitFor } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';
import type { SecretsFileState, SecretState } from '$ui/generated/model';
import { demoPlatform } from '$ui/platform/demo/index';
import type { FakePlatform } from '$ui/platform/fake';
import { App, appContext } from '$ui/state/app.svelte';
import { hook, requests, type } from '$ui/test-hook';
import SecretsFile from './secrets-file.svelte';

let platform: FakePlatform;
let app: App;

function stands(state: SecretState | null): SecretsFileState {
  return { path: '/home/mara/secrets.age', used: state !== null, state, passphrase_file: null };
}

async function show(state: SecretState | null): Promise<void> {
  platform.answers.secrets_file_get = () => stands(state);
  render(SecretsFile, { context: appContext(app) });
  await waitFor(() => expect(requests(platform, 'secrets_file_get')).toHaveLength(1));
}

beforeEach(async () => {
  platform = demoPlatform();
  app = new App(platform);
  await app.live.look();
});

describe('the file of secrets', () => {
  it('is made with a passphrase that was typed twice', async () => {
    await show(null);
    await waitFor(() => hook('secrets-make'));
    expect(document.querySelector('[data-test=secrets-path]'), 'nothing is kept in it yet').toBeNull();
    await fireEvent.click(hook('secrets-make'));
    await waitFor(() => hook('secrets-again'));
    await type('secrets-passphrase', 'short');
    await type('secrets-again', 'short');
    expect(hook<HTMLButtonElement>('secrets-send').disabled, 'eight characters at least').toBe(true);
    await type('secrets-passphrase', 'correct horse');
    expect(hook('secrets-dialog').textContent).toContain('These are two passphrases.');
    await type('secrets-again', 'correct horse');
    await fireEvent.click(hook('secrets-send'));
    await waitFor(() => expect(requests(platform, 'secrets_file_make')).toEqual([{ passphrase: 'correct horse' }]));
  });

  it('opens with its passphrase, and a wrong one is told at the field and forgotten', async () => {
    platform.answers.secrets_file_open = ({ passphrase }) => {
      const error: unknown = { code: 'permission', message: 'the passphrase is wrong', field: 'passphrase' };
      if (passphrase !== 'correct horse') throw error;
      return stands('file_ready');
    };
    await show('file_locked');
    await waitFor(() => hook('secrets-open'));
    expect(hook('secrets-path').textContent).toContain('/home/mara/secrets.age');
    await fireEvent.click(hook('secrets-open'));
    await waitFor(() => hook('secrets-passphrase'));
    const field = hook<HTMLInputElement>('secrets-passphrase');
    expect([field.type, document.querySelector(`label[for="${field.id}"]`)?.textContent]).toEqual(['password', 'Passphrase']);
    await type('secrets-passphrase', 'a guess');
    await fireEvent.click(hook('secrets-send'));
    await waitFor(() => expect(hook('secrets-passphrase').getAttribute('aria-invalid')).toBe('true'));
    expect(hook('secrets-dialog').textContent).toContain('The passphrase is wrong');
    expect(hook<HTMLInputElement>('secrets-passphrase').value).toBe('');
    const looked = requests(platform, 'workspace_status').length;
    await type('secrets-passphrase', 'correct horse');
    await fireEvent.click(hook('secrets-send'));
    await waitFor(() => expect(requests(platform, 'workspace_status').length, 'the card follows').toBeGreaterThan(looked));
    await waitFor(() => expect(document.querySelector('[data-test=secrets-passphrase]'), 'the dialog closes').toBeNull());
  });

  it('is locked with another passphrase by whoever knows the one it has', async () => {
    await show('file_ready');
    await waitFor(() => hook('secrets-change'));
    await fireEvent.click(hook('secrets-change'));
    await waitFor(() => hook('secrets-current'));
    await type('secrets-passphrase', 'other words');
    await type('secrets-again', 'other words');
    expect(hook<HTMLButtonElement>('secrets-send').disabled, 'without the present one').toBe(true);
    await type('secrets-current', 'correct horse');
    await fireEvent.click(hook('secrets-send'));
    await waitFor(() => expect(requests(platform, 'secrets_file_passphrase')).toEqual([{ current: 'correct horse', passphrase: 'other words' }]));
  });

  it('is left alone where it is damaged', async () => {
    await show('file_damaged');
    await waitFor(() => hook('secrets-path'));
    expect(document.querySelector('[data-test=secrets-make], [data-test=secrets-open], [data-test=secrets-change]')).toBeNull();
  });

  it('is made anew where a file was named that is not there', async () => {
    await show('file_missing');
    await waitFor(() => hook('secrets-make'));
  });
});
