import { fireEvent, render } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';
import type { HealthPolicyState } from '$ui/generated/model';
import { demoPlatform } from '$ui/platform/demo/index';
import { App, appContext } from '$ui/state/app.svelte';
import { described, hook, requests, type } from '$ui/test-hook';
import HealthLines from './health-lines.svelte';

const STATE: HealthPolicyState = {
  policy: { limits: [], samples: 6, margin_percent: 5, average_after_h: 24, keep_days: 14 },
  limits: [{ metric: 'memory_used_ratio', title: 'Memory use', unit: 'ratio', warning: 0.7, critical: 0.85, default_warning: 0.7, default_critical: 0.85 }],
};

describe('the thresholds of Redis health', () => {
  it('says at each field what is wrong, and sends no number that nobody typed', async () => {
    const platform = demoPlatform();
    render(HealthLines, { props: { state: STATE }, context: appContext(new App(platform)) });
    await type('line-warning-memory_used_ratio', 'much');
    expect(described('line-warning-memory_used_ratio')).toBe('A number, 0 or above, or nothing.');
    await type('line-warning-memory_used_ratio', '');
    expect(described('line-warning-memory_used_ratio'), 'no threshold').toBe('');
    await type('line-warning-memory_used_ratio', '95');
    await fireEvent.blur(hook('line-warning-memory_used_ratio'));
    expect(described('line-critical-memory_used_ratio')).toBe('Not below the warning.');
    await fireEvent.submit(hook('lines-form'));
    expect(requests(platform, 'health_policy_put')).toEqual([]);
    await type('line-warning-memory_used_ratio', '70');
    await fireEvent.blur(hook('line-warning-memory_used_ratio'));
    expect(described('line-critical-memory_used_ratio')).toBe('');
    await type('lines-keep', '2');
    await type('lines-average', '49');
    expect(described('lines-average'), 'no longer than history is kept').toBe('A whole number from 1 to 48.');
    await fireEvent.submit(hook('lines-form'));
    await type('lines-average', '');
    await fireEvent.submit(hook('lines-form'));
    expect(requests(platform, 'health_policy_put')).toEqual([]);
    await type('lines-average', '48');
    await fireEvent.submit(hook('lines-form'));
    expect(requests(platform, 'health_policy_put')).toMatchObject([{ policy: { average_after_h: 48, keep_days: 2 } }]);
  });
});
