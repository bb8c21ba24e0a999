import { fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';
import type { ResponsePolicy, Role } from '$ui/generated/model';
import { demoPlatform } from '$ui/platform/demo/index';
import type { FakePlatform } from '$ui/platform/fake';
import { App, appContext } from '$ui/state/app.svelte';
import { described, hook, type } from '$ui/test-hook';
import PolicyEditor from './policy-editor.svelte';

async function show(change: (policy: ResponsePolicy) => ResponsePolicy = (policy) => policy, role: Role = 'admin'): Promise<FakePlatform> {
  const platform = demoPlatform();
  const status = platform.answers.workspace_status;
  platform.answers.workspace_status = async () => {
    const made = await status?.({});
    if (made === undefined || made.connection === null) throw new Error('the demo has a status');
    return { ...made, connection: { ...made.connection, production: false }, caller: { ...made.caller, role } };
  };
  const app = new App(platform);
  await app.live.look();
  const view = await platform.call('response_policy_get', {});
  render(PolicyEditor, { props: { view: { ...view, policy: change(view.policy) } }, context: appContext(app) });
  return platform;
}

function confidences(): string[] {
  return [...document.querySelectorAll<HTMLInputElement>('[data-test=policy-confidence]')].map((field) => field.value);
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

  it.each(['abc', '1000', '-5', ''])('is not saved while a field shows %j', async (text) => {
    const platform = await show();
    await fireEvent.click(hook('policy-mode-off'));
    await type('policy-reason', 'Too eager');
    expect(hook<HTMLButtonElement>('policy-save').disabled).toBe(false);
    await type('policy-confidence', text);
    expect(hook<HTMLInputElement>('policy-confidence').value, 'what was typed stays').toBe(text);
    expect(hook('policy-confidence').getAttribute('aria-invalid')).toBe('true');
    expect(described('policy-confidence')).toBe('A whole number from 0 to 100.');
    expect(hook<HTMLButtonElement>('policy-save').disabled).toBe(true);
    expect(hook<HTMLButtonElement>('policy-preview').disabled, 'a look would be at something else').toBe(true);
    await type('policy-confidence', '90');
    await fireEvent.click(hook('policy-save'));
    await waitFor(() => expect(platform.calls.find((call) => call.name === 'response_policy_put')?.request).toMatchObject({ policy: { rules: [{ confidence_min: 90 }] } }));
  });

  it('names the action that a bin removes', async () => {
    await show();
    expect(screen.getByRole('button', { name: 'Remove the action “Block the address”' }).title).toBe('Remove the action “Block the address”');
  });

  it('forgets what was typed into a rule with the rule', async () => {
    await show((policy) => ({ ...policy, rules: policy.rules.flatMap((rule) => [{ ...rule, name: 'first' }, { ...rule, name: 'second' }]) }));
    expect(confidences()).toEqual(['85', '85']);
    await type('policy-confidence', 'abc');
    await fireEvent.click(screen.getByRole('button', { name: 'Remove the rule first' }));
    expect(confidences()).toEqual(['85']);
    await type('policy-reason', 'One is enough');
    await fireEvent.click(hook('policy-mode-off'));
    expect(hook<HTMLButtonElement>('policy-save').disabled, 'nothing wrong is left').toBe(false);
  });

  it('does not seem to change for a person who may not change it', async () => {
    await show(undefined, 'viewer');
    await fireEvent.click(hook('policy-mode-on'));
    expect(hook('policy-mode-on').getAttribute('aria-checked')).toBe('false');
    expect(hook('policy-mode-dry_run').getAttribute('aria-checked')).toBe('true');
    expect(hook<HTMLButtonElement>('policy-mode-on').disabled).toBe(true);
  });

  it('is turned off at once', async () => {
    const platform = await show();
    await fireEvent.click(hook('policy-mode-off'));
    await fireEvent.input(hook('policy-reason'), { target: { value: 'Too eager' } });
    await fireEvent.click(hook('policy-save'));
    await waitFor(() => expect(platform.calls.find((call) => call.name === 'response_policy_put')?.request).toMatchObject({ policy: { mode: 'off' } }));
  });
});
