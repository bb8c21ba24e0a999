import { fireEvent, render, waitFor } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';
import { demoPlatform } from '$ui/platform/demo/index';
import type { FakePlatform } from '$ui/platform/fake';
import { App, appContext } from '$ui/state/app.svelte';
import PolicyEditor from './policy-editor.svelte';

function hook<T extends HTMLElement>(name: string): T {
  const found = document.querySelector<T>(`[data-test="${name}"]`);
  if (found === null) throw new Error(`no ${name} on screen`);
  return found;
}

async function show(): Promise<FakePlatform> {
  const platform = demoPlatform();
  const view = await platform.call('response_policy_get', {});
  render(PolicyEditor, { props: { view }, context: appContext(new App(platform)) });
  return platform;
}

describe('the response policy', () => {
  it('is turned on only after a look at what it would have done', async () => {
    const platform = await show();
    expect(document.querySelector('[data-test=policy-save]'), 'nothing is changed').toBeNull();
    await fireEvent.click(hook('policy-mode-on'));
    await fireEvent.input(hook('policy-reason'), { target: { value: 'Agreed on Monday' } });
    expect(hook<HTMLButtonElement>('policy-save').disabled, 'nobody has looked').toBe(true);
    await fireEvent.click(hook('policy-preview'));
    await waitFor(() => expect(hook('policy-preview-result').dataset['done']).toBe('5'));
    expect(platform.calls.find((call) => call.name === 'response_preview')?.request).toMatchObject({ days: 7, policy: { mode: 'on' } });
    await waitFor(() => expect(hook<HTMLButtonElement>('policy-save').disabled).toBe(false));
    await fireEvent.change(hook('policy-severity'), { target: { value: 'low' } });
    await waitFor(() => expect(hook<HTMLButtonElement>('policy-save').disabled, 'what was looked at is another policy').toBe(true));
    await fireEvent.click(hook('policy-preview'));
    await waitFor(() => expect(hook<HTMLButtonElement>('policy-save').disabled).toBe(false));
    await fireEvent.click(hook('policy-save'));
    await waitFor(() => expect(platform.calls.find((call) => call.name === 'response_policy_put')?.request).toMatchObject({ reason: 'Agreed on Monday', policy: { mode: 'on', rules: [{ severity_min: 'low' }] } }));
  });

  it('is turned off at once', async () => {
    const platform = await show();
    await fireEvent.click(hook('policy-mode-off'));
    await fireEvent.input(hook('policy-reason'), { target: { value: 'Too eager' } });
    await fireEvent.click(hook('policy-save'));
    await waitFor(() => expect(platform.calls.find((call) => call.name === 'response_policy_put')?.request).toMatchObject({ policy: { mode: 'off' } }));
  });
});
