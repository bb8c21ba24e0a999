// Reading the rules again, and running the samples of one.

import { fireEvent, render, waitFor } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';
import { demoPlatform } from '$ui/platform/demo/index';
import type { FakePlatform } from '$ui/platform/fake';
import Toasts from '$ui/shared/feedback/toasts.svelte';
import { App, appContext } from '$ui/state/app.svelte';
import { router } from '$ui/state/router.svelte';
import { hook, requests } from '$ui/test-hook';
import RulesView from './rules-view.svelte';

async function open(route: string, query: Record<string, string> = {}, change: (platform: FakePlatform) => void = () => undefined): Promise<FakePlatform> {
  const platform = demoPlatform();
  change(platform);
  router.go('rules', route === '' ? null : route, query);
  const app = new App(platform);
  render(RulesView, { context: appContext(app) });
  render(Toasts, { context: appContext(app) });
  await waitFor(() => hook('rule-row'));
  return platform;
}

describe('the rules', () => {
  it('are read again, and say how many there are and how many cannot be used', async () => {
    const platform = await open('', {}, (fake) => {
      const list = fake.answers.rule_list;
      fake.answers.rule_reload = async () => {
        const made = await list?.({});
        if (made === undefined) throw new Error('the demo has rules');
        // More problems than are listed: the number is that of all.
        return { ...made, problems_total: 1_240 };
      };
    });
    await fireEvent.click(hook('rule-reload'));
    await waitFor(() => expect(requests(platform, 'rule_reload')).toHaveLength(1));
    await waitFor(() => expect(hook('toast-done').textContent).toContain('1,240'));
  });

  it('count every problem, also those that are not listed', async () => {
    await open('', {}, (fake) => {
      const list = fake.answers.rule_list;
      fake.answers.rule_list = async () => {
        const made = await list?.({});
        if (made === undefined) throw new Error('the demo has rules');
        return { ...made, problems_total: 901 };
      };
    });
    expect(hook('rules-tab-problems').textContent).toContain('901');
  });

  it('run their samples, and name the one that does not hold', async () => {
    const platform = await open('wp.brute.source', {}, (fake) => {
      fake.answers.rule_test = () => ({
        rules: 1,
        samples: 2,
        untested: 0,
        failures: [
          { rule_id: 'wp.brute.source', sample: { request: '/p?id=1 UNION' }, should_fire: true, summary: null },
          { rule_id: 'wp.brute.source', sample: { request: '/p?q=union \u202ejack' }, should_fire: false, summary: 'union in http.query' },
        ],
        by_setting: [],
        problems: [],
      });
    });
    await waitFor(() => hook('rule-tab-samples'));
    await fireEvent.click(hook('rule-tab-samples'));
    await fireEvent.click(hook('rule-test'));
    await waitFor(() => hook('rule-failures'));
    expect(requests(platform, 'rule_test')).toEqual([{ id: 'wp.brute.source' }]);
    expect(hook('rule-tested').textContent).toBe('2 of 2 samples do not hold');
    expect([...hook('rule-failures').querySelectorAll('li')].map((line) => line.textContent?.trim())).toEqual(['Does not fire: {"request":"/p?id=1 UNION"}', 'Fires, but must not: {"request":"/p?q=union \\u{202e}jack"}union in http.query']);
  });
});
