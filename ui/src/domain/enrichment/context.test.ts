import { fireEvent, render, waitFor } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';
import type { AssetRule, ThreatList } from '$ui/generated/model';
import { demoPlatform } from '$ui/platform/demo/index';
import type { FakePlatform } from '$ui/platform/fake';
import { App, appContext } from '$ui/state/app.svelte';
import { described, hook, requests, type } from '$ui/test-hook';
import EnrichmentCards from './enrichment-cards.svelte';

let platform: FakePlatform;

function refuse(message: string): never {
  const failure: unknown = { code: 'validation', message };
  throw failure;
}

async function show(): Promise<void> {
  render(EnrichmentCards, { context: appContext(new App(platform)) });
  await waitFor(() => hook('threat-list'));
  await waitFor(() => hook('asset-add'));
}

function lists(): number {
  return document.querySelectorAll('[data-test=threat-list]').length;
}

beforeEach(() => {
  platform = demoPlatform();
});

describe('threat lists', () => {
  it('are brought in from a file, and say what was left out', async () => {
    const [first] = (await platform.answers.threat_list_list?.({}))?.lists ?? [];
    if (first === undefined) throw new Error('the demo has a list');
    const list: ThreatList = { ...first, name: 'feed', addresses: 1, domains: 0, user_agents: 0, total: 1, skipped: 3 };
    platform.answers.threat_list_import = () => ({ list, reasons: [] });
    await show();
    await fireEvent.click(hook('threat-import'));
    expect(requests(platform, 'threat_list_import'), 'nothing was chosen').toEqual([]);
    platform.picked = '/srv/feed.csv';
    await waitFor(() => expect(hook<HTMLButtonElement>('threat-import').disabled).toBe(false));
    await fireEvent.click(hook('threat-import'));
    await waitFor(() => expect(requests(platform, 'threat_list_import')).toEqual([{ path: '/srv/feed.csv', name: null, confidence: null, format: null, kind: null }]));
    await waitFor(() => expect(document.body.textContent).toContain('feed: 1 entry, 3 left out'));
  });

  it('that cannot be read say why', async () => {
    platform.answers.threat_list_import = () => refuse('line 7 of /srv/feed.csv is no entry');
    platform.picked = '/srv/feed.csv';
    await show();
    await fireEvent.click(hook('threat-import'));
    await waitFor(() => expect(document.querySelector('.lists [role=alert]')?.textContent).toContain('Line 7'));
  });

  it('are forgotten', async () => {
    await show();
    const before = lists();
    const name = hook('threat-show').textContent;
    await fireEvent.click(hook('threat-list').querySelector('td:last-child button') ?? document.body);
    await waitFor(() => expect(requests(platform, 'threat_list_remove')).toEqual([{ name }]));
    await waitFor(() => expect(lists()).toBe(before - 1));
  });

  it('answer whether they name something', async () => {
    platform.answers.threat_check = ({ value }) => ({ value, matches: value === '203.0.113.7' ? [{ found: { list: 'feodo', confidence: 80, kind: 'ip', entry: '203.0.113.0/24', field: 'source_ip' }, note: null }] : [], place: null });
    await show();
    const ask = async (value: string): Promise<string> => {
      await type('threat-ask', value);
      await fireEvent.submit(hook('threat-ask').closest('form') ?? document.body);
      await waitFor(() => expect(requests(platform, 'threat_check').at(-1)).toEqual({ value }));
      await waitFor(() => hook('threat-answer'));
      return hook('threat-answer').textContent ?? '';
    };
    expect(await ask('203.0.113.7')).toContain('feodo: 203.0.113.0/24');
    await ask('192.0.2.1');
    await waitFor(() => expect(hook('threat-answer').textContent).toContain('No list names it.'));
  });
});

describe('assets', () => {
  it('are added with their weight and forgotten', async () => {
    let assets: AssetRule[] = [];
    platform.answers.asset_list = () => ({ assets });
    platform.answers.asset_add = (rule) => ({ assets: (assets = [...assets, rule]) });
    platform.answers.asset_remove = () => ({ assets: (assets = []) });
    await show();
    expect(hook<HTMLButtonElement>('asset-add').disabled, 'nothing to add').toBe(true);
    await type('asset-pattern', ' /admin ');
    await type('asset-label', 'Back office');
    await type('asset-weight', '3');
    expect([described('asset-weight'), hook<HTMLButtonElement>('asset-add').disabled]).toEqual(['0.5 to 2.0', true]);
    await type('asset-weight', '1,5');
    expect([described('asset-weight'), hook<HTMLButtonElement>('asset-add').disabled], 'as Germans write it').toEqual(['', false]);
    await fireEvent.submit(hook('asset-pattern').closest('form') ?? document.body);
    await waitFor(() => expect(requests(platform, 'asset_add')).toEqual([{ kind: 'endpoint', pattern: '/admin', label: 'Back office', weight: 1.5 }]));
    await waitFor(() => hook('asset-row'));
    await waitFor(() => expect(hook<HTMLInputElement>('asset-pattern').value).toBe(''));
    await fireEvent.click(hook('asset-row').querySelector('button') ?? document.body);
    await waitFor(() => expect(requests(platform, 'asset_remove')).toEqual([{ kind: 'endpoint', pattern: '/admin' }]));
    await waitFor(() => expect(document.querySelector('[data-test=asset-row]')).toBeNull());
  });
});
