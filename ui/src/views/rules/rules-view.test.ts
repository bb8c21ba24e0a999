import { fireEvent, render, waitFor } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';
import { demoPlatform } from '$ui/platform/demo/index';
import type { FakePlatform } from '$ui/platform/fake';
import { App, appContext } from '$ui/state/app.svelte';
import { router } from '$ui/state/router.svelte';
import { hook, requests } from '$ui/test-hook';
import RulesView from './rules-view.svelte';

function rows(): (string | undefined)[] {
  return [...document.querySelectorAll<HTMLElement>('[data-test=rule-row]')].map((row) => row.dataset['rule']);
}

function show(): FakePlatform {
  const platform = demoPlatform();
  render(RulesView, { context: appContext(new App(platform)) });
  return platform;
}

describe('the rules', () => {
  beforeEach(() => router.go('rules'));

  it('are listed with their record, and filtered', async () => {
    show();
    await waitFor(() => expect(rows()).toHaveLength(3));
    await waitFor(() => expect(document.querySelector('[data-rule="wp.brute.source"]')?.textContent).toContain('Tune 33.3%'));
    await fireEvent.change(hook('rule-state-filter'), { target: { value: 'off' } });
    await waitFor(() => expect(rows()).toEqual(['acme.export']));
    expect(document.querySelector('[data-rule="acme.export"] b'), 'a title is text').toBeNull();
  });

  it('are filtered as the address says, and say there how they are filtered', async () => {
    router.go('rules', null, { state: 'off' });
    show();
    await waitFor(() => expect(rows()).toEqual(['acme.export']));
    await fireEvent.input(hook('rule-search'), { target: { value: 'export' } });
    await waitFor(() => expect(router.current.query).toEqual({ state: 'off', text: 'export' }));
    await fireEvent.click(document.querySelector('[data-rule="acme.export"]') ?? document.body);
    expect([router.current.detail, router.current.query]).toEqual(['acme.export', { state: 'off', text: 'export' }]);
    router.go('rules');
    await waitFor(() => expect(hook<HTMLInputElement>('rule-search').value, 'the address is the truth').toBe(''));
    await waitFor(() => expect(rows()).toHaveLength(3));
  });

  it('are chosen in the list when one is opened by a link, and counted where they are listed', async () => {
    router.go('rules', 'acme.export');
    show();
    await waitFor(() => expect(document.querySelector('[data-rule="acme.export"]')?.getAttribute('aria-selected')).toBe('true'));
    expect(hook('rules-total').textContent).toBe('3 of 3');
    router.go('rules', null, { tab: 'bench' });
    await waitFor(() => expect(document.querySelector('[data-test=rules-total]')).toBeNull());
  });

  it('say what another threshold would do before it is set', async () => {
    const platform = show();
    router.go('rules', 'wp.brute.source');
    await waitFor(() => expect(hook<HTMLInputElement>('rule-threshold').value).toBe('5'));
    expect(document.querySelector('[data-test=rule-save]'), 'nothing is changed yet').toBeNull();
    await fireEvent.input(hook('rule-threshold'), { target: { value: '20' } });
    await fireEvent.click(hook('rule-backtest'));
    await waitFor(() => expect(hook('backtest-report').textContent).toMatch(/15\s*9/));
    expect(platform.calls.find((call) => call.name === 'rule_backtest')?.request).toMatchObject({ change: { id: 'wp.brute.source', enabled: true, threshold: 20, window_s: 600 } });
    await fireEvent.input(hook('rule-threshold'), { target: { value: '30' } });
    expect(document.querySelector('[data-test=backtest-report]'), 'the report was of another number').toBeNull();
    await fireEvent.click(hook('rule-save'));
    await waitFor(() => expect(platform.calls.find((call) => call.name === 'rule_set')?.request).toMatchObject({ id: 'wp.brute.source', enabled: null, threshold: 30, window_s: null }));
    await waitFor(() => expect(hook<HTMLInputElement>('rule-threshold').value, 'what is true now').toBe('30'));
  });

  it('tell how far a replay is, and stop it on demand', async () => {
    const platform = show();
    const answer = platform.answers.rule_backtest;
    if (answer === undefined) throw new Error('the demo has one');
    let end = (): void => undefined;
    platform.answers.rule_backtest = async (request) => {
      await new Promise<void>((resolve) => (end = resolve));
      return { ...(await answer(request)), truncated: true };
    };
    platform.answers.rule_backtest_cancel = () => {
      end();
      return { step: 'replaying', done: 9_000, total: 22_715, running: true };
    };
    router.go('rules', 'wp.brute.source');
    await waitFor(() => expect(hook<HTMLInputElement>('rule-threshold').value).toBe('5'));
    await fireEvent.input(hook('rule-threshold'), { target: { value: '20' } });
    await fireEvent.click(hook('rule-backtest'));
    await waitFor(() => expect(hook('backtest-progress').textContent).toContain('8,000 of 22,715 events'));
    expect(hook<HTMLButtonElement>('rule-save').disabled, 'first what it would have done').toBe(true);
    await fireEvent.click(hook('backtest-stop'));
    await waitFor(() => expect(hook('backtest-report').textContent).toMatch(/15\s*9/));
    expect(requests(platform, 'rule_backtest')[0]).toMatchObject({ ticket: expect.stringMatching(/^window-/) });
    expect(requests(platform, 'rule_backtest')[0]).toMatchObject(requests(platform, 'rule_backtest_cancel')[0] ?? {});
    expect(document.querySelector('[data-test=backtest-progress]')).toBeNull();
    expect(hook<HTMLButtonElement>('rule-save').disabled).toBe(false);
  });

  it('leave the focus in the tabs to whoever goes through them by arrow', async () => {
    show();
    await waitFor(() => expect(rows()).toHaveLength(3));
    hook('rules-tab-rules').focus();
    await fireEvent.keyDown(hook('rules-tab-rules'), { key: 'ArrowRight' });
    await waitFor(() => expect(rows()).toHaveLength(0));
    await fireEvent.keyDown(document.activeElement ?? document.body, { key: 'ArrowLeft' });
    await waitFor(() => expect(rows()).toHaveLength(3));
    expect(document.activeElement).toBe(hook('rules-tab-rules'));
  });

  it('are switched off and on without settling on the counts of today', async () => {
    const platform = show();
    await waitFor(() => expect(rows()).toHaveLength(3));
    router.go('rules', 'wp.brute.source');
    await waitFor(() => hook('rule-enabled'));
    for (const state of ['Off', 'On']) {
      await fireEvent.click(hook('rule-enabled'));
      await fireEvent.click(hook('rule-save'));
      await waitFor(() => expect(hook('rule-state').textContent).toContain(state));
      await waitFor(() => expect(document.querySelector('[data-test=rule-save]')).toBeNull());
    }
    expect(requests(platform, 'rule_set')).toMatchObject([
      { enabled: false, threshold: null, window_s: null },
      { enabled: null, threshold: null, window_s: null },
    ]);
    expect(document.querySelector('[data-test=rule-reset]'), 'nothing differs from the file any more').toBeNull();
  });

  it('keep what a person tuned when they are switched', async () => {
    const platform = show();
    await waitFor(() => expect(rows()).toHaveLength(3));
    router.go('rules', 'wp.brute.source');
    await waitFor(() => hook('rule-threshold'));
    await fireEvent.input(hook('rule-threshold'), { target: { value: '30' } });
    await fireEvent.click(hook('rule-save'));
    await waitFor(() => expect(document.querySelector('[data-test=rule-reset]')).not.toBeNull());
    await fireEvent.click(hook('rule-enabled'));
    await fireEvent.click(hook('rule-save'));
    await waitFor(() => expect(requests(platform, 'rule_set').at(-1)).toMatchObject({ enabled: false, threshold: 30, window_s: null }));
  });

  it('refuse a threshold that is no number', async () => {
    show();
    router.go('rules', 'wp.brute.source');
    await waitFor(() => hook('rule-threshold'));
    await fireEvent.input(hook('rule-threshold'), { target: { value: '0' } });
    await waitFor(() => expect(hook<HTMLButtonElement>('rule-backtest').disabled).toBe(true));
  });
});

describe('the test bench', () => {
  beforeEach(() => router.go('rules', null, { tab: 'bench' }));

  it('shows every form of what was pasted as text, and faults where they belong', async () => {
    show();
    await fireEvent.input(hook('bench-text'), { target: { value: '%3Cimg src=x onerror=alert(1)%3E\u202e' } });
    await fireEvent.click(hook('bench-go'));
    await waitFor(() => expect(hook('bench-verdict').dataset['findings']).toBe('0'));
    expect(hook('bench-field').textContent).toContain('<img src=x');
    expect(hook('bench-field').textContent, 'a bidi control is visible').not.toContain('\u202e');
    expect(document.querySelector('img')).toBeNull();
    expect(document.querySelector('[data-test=bench-malformed]'), 'it is a value').toBeNull();
    await fireEvent.input(hook('bench-text'), { target: { value: 'POST /login HTTP/1.1Host: a<svg onload=alert(1)>' } });
    await fireEvent.click(hook('bench-go'));
    await waitFor(() => expect(hook('bench-malformed').textContent).toContain('all of it was looked at as one value'));
    await fireEvent.input(hook('bench-text'), { target: { value: '{' } });
    await fireEvent.click(hook('bench-go'));
    await waitFor(() => expect(hook('form-fault').textContent).toContain('Not JSON'));
  });
});
