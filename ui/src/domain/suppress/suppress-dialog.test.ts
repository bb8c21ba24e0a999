import { fireEvent, render, waitFor } from '@testing-library/svelte';
import { afterEach, describe, expect, it } from 'vitest';
import { demoPlatform } from '$ui/platform/demo/index';
import type { FakePlatform } from '$ui/platform/fake';
import { App, appContext } from '$ui/state/app.svelte';
import { hook } from '$ui/test-hook';
import { ruleTitle } from '../rule/title';
import SuppressDialog from './suppress-dialog.svelte';
import { closeSuppress, openSuppress } from './suppress-request.svelte';

function added(platform: FakePlatform): unknown[] {
  return platform.calls.filter((call) => call.name === 'suppression_add').map((call) => call.request);
}

function show(): FakePlatform {
  const platform = demoPlatform();
  render(SuppressDialog, { context: appContext(new App(platform)) });
  openSuppress({ rules: ['wp.sqli.union'], family: 'sqli', entity: { kind: 'ip', value: '203.0.113.7' }, incident: 42 });
  return platform;
}

describe('the suppression dialog', () => {
  afterEach(() => closeSuppress());

  it('counts what would have been hidden before it can be made', async () => {
    const platform = show();
    await waitFor(() => hook('suppress-dialog'));
    await waitFor(() => expect(hook('suppress-hidden').dataset['value']).toBe('12'));
    expect(platform.calls.find((call) => call.name === 'suppression_preview')?.request).toEqual({ scope: { rule: 'wp.sqli.union', entity: { kind: 'ip', value: '203.0.113.7' } }, days: 7 });
    await fireEvent.click(hook('suppress-entity'));
    await waitFor(() => expect(hook('suppress-hidden').dataset['value'], 'a wider scope is counted anew').toBe('73'));
    expect(hook('suppress-warning').textContent, 'an attack would have been hidden').toContain('judged an attack');
  });

  it('needs a reason and an end', async () => {
    const platform = show();
    await waitFor(() => expect(hook('suppress-hidden').dataset['value']).toBe('12'));
    await fireEvent.click(hook('suppress-confirm'));
    expect(added(platform), 'neither reason nor end').toHaveLength(0);
    await fireEvent.input(hook('suppress-reason'), { target: { value: 'Our own scanner' } });
    await fireEvent.click(hook('suppress-confirm'));
    expect(added(platform), 'no end').toHaveLength(0);
    await fireEvent.click(hook('suppress-days-7'));
    await fireEvent.click(hook('suppress-confirm'));
    await waitFor(() => expect(added(platform)).toHaveLength(1));
    const request = added(platform)[0] as { reason: string; expires_at: string };
    expect(request.reason).toBe('Our own scanner');
    const days = (new Date(request.expires_at).getTime() - Date.now()) / 86_400_000;
    expect(days).toBeGreaterThan(6.9);
    expect(days).toBeLessThan(7.1);
  });

  it('is made once, however often the keys are pressed', async () => {
    const platform = show();
    const answer = platform.answers.suppression_add;
    const held: (() => void)[] = [];
    platform.answers.suppression_add = async (request) => {
      await new Promise<void>((resolve) => held.push(resolve));
      if (answer === undefined) throw new Error('the demo suppresses');
      return await answer(request);
    };
    await waitFor(() => expect(hook('suppress-hidden').dataset['value']).toBe('12'));
    await fireEvent.input(hook('suppress-reason'), { target: { value: 'Our own scanner' } });
    await fireEvent.click(hook('suppress-days-7'));
    await fireEvent.keyDown(hook('suppress-reason'), { key: 'Enter', ctrlKey: true });
    await fireEvent.keyDown(hook('suppress-reason'), { key: 'Enter', ctrlKey: true });
    expect(added(platform)).toHaveLength(1);
    for (const go of held) go();
    await waitFor(() => expect(document.querySelector('[data-test=suppress-confirm]')).toBeNull());
    expect(added(platform)).toHaveLength(1);
  });

  it('names its rule, waits for an end, and speaks of a measure as one', async () => {
    show();
    await waitFor(() => expect(hook('suppress-hidden').dataset['value']).toBe('12'));
    expect(hook('suppress-dialog').textContent).toContain(ruleTitle('wp.sqli.union'));
    expect(ruleTitle('wp.sqli.union')).not.toBe('wp.sqli.union');
    expect(hook<HTMLButtonElement>('suppress-confirm').disabled, 'nobody has said until when').toBe(true);
    await fireEvent.click(hook('suppress-days-7'));
    await waitFor(() => expect(hook<HTMLButtonElement>('suppress-confirm').disabled).toBe(false));
    expect(hook('suppress-dialog').textContent).toContain('Only about IP address 203.0.113.7');
    openSuppress({ rules: ['wp.redis.ingest_per_min'], family: 'redis_health', entity: { kind: 'endpoint', value: 'Event processing rate on redis.sock' }, incident: 43 });
    await waitFor(() => expect(hook('suppress-dialog').textContent).toContain('Only about Event processing rate on redis.sock'));
  });

  it('cannot be made of everything', async () => {
    show();
    await waitFor(() => expect(hook('suppress-hidden').dataset['value']).toBe('12'));
    await fireEvent.input(hook('suppress-rule'), { target: { value: '' } });
    await fireEvent.click(hook('suppress-entity'));
    await waitFor(() => expect(hook<HTMLButtonElement>('suppress-confirm').disabled).toBe(true));
  });
});
