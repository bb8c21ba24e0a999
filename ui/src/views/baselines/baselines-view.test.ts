import { fireEvent, render, waitFor } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';
import type { Drift } from '$ui/generated/model';
import { demoPlatform } from '$ui/platform/demo/index';
import { App, appContext } from '$ui/state/app.svelte';
import { router } from '$ui/state/router.svelte';
import { hook } from '$ui/test-hook';
import BaselinesView from './baselines-view.svelte';

describe('what has changed', () => {
  it('tells a fall from a rise, and what rose or is new first', async () => {
    router.go('baselines');
    const platform = demoPlatform();
    const answer = platform.answers.baseline_compare;
    if (answer === undefined) throw new Error('the demo answers it');
    const drift = (value: string, kind: Drift['kind'], size: number, fell = false): Drift => ({ entity: { kind: 'endpoint', value }, kind, before: '', after: '', values: [{ kind: 'absent' }, { kind: 'absent' }], size, fell });
    platform.answers.baseline_compare = async (request) => ({ ...(await answer(request)), drifts: [drift('/gone', 'gone', 90), drift('/fell', 'volume', 31, true), drift('/new', 'new', 22), drift('/agents', 'agents', 2), drift('/rose', 'requests', 3.1)] });
    render(BaselinesView, { context: appContext(new App(platform)) });
    await fireEvent.click(hook('baseline-compare'));
    await waitFor(() => hook('drift-row'));
    const rows = [...document.querySelectorAll('[data-test=drift-row]')].map((row) => [row.querySelector('[data-test=entity-link]')?.textContent, row.querySelector('[role=gridcell]:last-child')?.textContent?.trim()]);
    expect(hook('baseline-of').textContent, 'which events of when with which').toMatch(/Compared: [\d,]+ events of \d.+ – .+ with [\d,]+ events of \d.+ – .+\./);
    expect(rows).toEqual([
      ['/rose', '×3.1'],
      ['/new', '–'],
      ['/agents', '2 new'],
      ['/fell', '÷31'],
      ['/gone', '–'],
    ]);
  });
});
