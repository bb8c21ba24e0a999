import { fireEvent, render, waitFor } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';
import { demoPlatform } from '$ui/platform/demo/index';
import { App, appContext } from '$ui/state/app.svelte';
import { hook, type } from '$ui/test-hook';
import ConfirmDialog from './confirm-dialog.svelte';

let app: App;

async function ask(what = 'Block 203.0.113.7'): Promise<{ answer: Promise<boolean> }> {
  const answer = app.confirmations.ask(what, 'shop-production');
  await waitFor(() => hook('confirm-name'));
  return { answer };
}

beforeEach(() => {
  app = new App(demoPlatform());
  render(ConfirmDialog, { context: appContext(app) });
});

describe('the question before a change in production', () => {
  it('is agreed to by the name of the connection alone', async () => {
    const { answer } = await ask();
    expect(hook('confirm-dialog').textContent).toContain('Block 203.0.113.7');
    for (const wrong of ['', 'shop', 'Shop-production', 'shop-production!']) {
      await type('confirm-name', wrong);
      expect(hook<HTMLButtonElement>('confirm-go').disabled, wrong).toBe(true);
      await fireEvent.submit(hook('confirm-name').closest('form') ?? document.body);
      expect(app.confirmations.question, 'Enter does not agree either').not.toBeNull();
    }
    await type('confirm-name', ' shop-production ');
    await fireEvent.submit(hook('confirm-name').closest('form') ?? document.body);
    expect(await answer).toBe(true);
    await waitFor(() => expect(document.querySelector('dialog[open]')).toBeNull());
  });

  it('is declined by closing it', async () => {
    const { answer } = await ask();
    hook('confirm-dialog').dispatchEvent(new Event('cancel', { cancelable: true }));
    expect(await answer).toBe(false);
  });

  it('begins empty each time', async () => {
    const first = await ask();
    await type('confirm-name', 'shop-production');
    await fireEvent.click(hook('confirm-go'));
    expect(await first.answer).toBe(true);
    await waitFor(() => expect(document.querySelector('dialog[open]')).toBeNull());
    const second = await ask('Restrict user mara');
    expect(hook<HTMLInputElement>('confirm-name').value).toBe('');
    expect(hook<HTMLButtonElement>('confirm-go').disabled).toBe(true);
    app.confirmations.answer(false);
    expect(await second.answer).toBe(false);
  });
});
