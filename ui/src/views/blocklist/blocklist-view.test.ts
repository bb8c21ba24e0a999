import { cleanup, fireEvent, render, waitFor } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';
import type { BlockListRequest } from '$ui/generated/model';
import { demoPlatform } from '$ui/platform/demo/index';
import type { FakePlatform } from '$ui/platform/fake';
import { App, appContext } from '$ui/state/app.svelte';
import { router } from '$ui/state/router.svelte';
import { choose, hook, requests, type } from '$ui/test-hook';
import BlocklistView from './blocklist-view.svelte';

let platform: FakePlatform;
let app: App;

beforeEach(async () => {
  router.go('blocklist');
  platform = demoPlatform();
  app = new App(platform);
  render(BlocklistView, { context: appContext(app) });
  await waitFor(() => hook('block-row'));
});

describe('the blocklist', () => {
  it('shows first what does not hold although it should', () => {
    const rows = [...document.querySelectorAll('[data-test=block-row]')];
    expect(rows.slice(0, 2).map((row) => row.querySelector('[data-test=block-not-in-redis]') !== null || row.getAttribute('data-state') === 'failed')).toEqual([true, true]);
    expect(rows[2]?.querySelector('[data-test=block-ttl-left]')).not.toBeNull();
  });

  it('counts every list, and fits beside its form in a window of 1280 pixels', async () => {
    const counted = (tab: string): string => hook(`blocks-tab-${tab}`).textContent.replace(/[^\d+]/g, '');
    for (const tab of ['active', 'contained', 'automatic', 'expired', 'removed', 'allowlist']) await waitFor(() => expect(counted(tab), tab).toMatch(/^\d+$/));
    const [removed] = requests(platform, 'block_list').filter((asked) => (asked as BlockListRequest).state.includes('removed')) as BlockListRequest[];
    expect(removed?.limit, 'the number alone').toBe(1);
    // Rail 212, form 372, padding 32, border 2, scrollbar 12.
    const grid = document.querySelector<HTMLElement>('.grid');
    expect(Number.parseInt(grid?.style.getPropertyValue('--least') ?? '', 10)).toBeLessThanOrEqual(1280 - 212 - 372 - 32 - 2 - 12);
  });

  it('goes with j and k from row to row of the allowlist', async () => {
    await fireEvent.click(hook('blocks-tab-allowlist'));
    await waitFor(() => hook('allow-row'));
    const rows = [...document.querySelectorAll('[data-test=allow-row]')];
    expect(rows.length, 'the demo has some').toBeGreaterThan(1);
    const at = (): number => rows.findIndex((row) => row.contains(document.activeElement));
    (document.activeElement as HTMLElement | null)?.blur();
    await fireEvent.keyDown(document.body, { key: 'j' });
    await fireEvent.keyDown(document.activeElement ?? document.body, { key: 'j' });
    expect(at()).toBe(1);
    await fireEvent.keyDown(document.activeElement ?? document.body, { key: 'k' });
    expect(at()).toBe(0);
  });

  it('says when there are more automatic actions than are listed', async () => {
    const list = platform.answers.response_list;
    platform.answers.response_list = async (asked) => {
      if (list === undefined) throw new Error('the demo has a list');
      return { ...(await list(asked)), next: 'more' };
    };
    cleanup();
    render(BlocklistView, { context: appContext(new App(platform)) });
    await waitFor(() => expect(hook('blocks-tab-automatic').textContent).toMatch(/\d\+$/));
  });

  it('blocks for a time of one’s own, after the preview', async () => {
    await type('block-target', '198.51.100.9');
    expect(hook<HTMLButtonElement>('block-submit').disabled, 'not before the preview').toBe(true);
    await waitFor(() => expect(hook<HTMLButtonElement>('block-submit').disabled).toBe(false));
    await type('block-reason', 'Scanner');
    await fireEvent.click(hook('block-ttl-custom'));
    await type('block-ttl-amount', '3');
    await choose('block-ttl-unit', '86400');
    await fireEvent.submit(hook('block-form'));
    await waitFor(() => expect(requests(platform, 'block_add')).toEqual([{ target: '198.51.100.9', reason: 'Scanner', ttl_s: 259_200, incident: null }]));
    await waitFor(() => expect(document.querySelector('[data-target="198.51.100.9"]'), 'the list is fetched again').not.toBeNull());
    await waitFor(() => expect(hook<HTMLInputElement>('block-target').value).toBe(''));
  });

  it('wants a reason and a time within limits', async () => {
    await type('block-target', '198.51.100.9');
    await waitFor(() => expect(hook<HTMLButtonElement>('block-submit').disabled).toBe(false));
    await fireEvent.submit(hook('block-form'));
    expect(hook('block-form').textContent).toContain('A block needs a reason.');
    await type('block-reason', 'x');
    await fireEvent.click(hook('block-ttl-custom'));
    await type('block-ttl-amount', '9000');
    await choose('block-ttl-unit', '86400');
    await fireEvent.submit(hook('block-form'));
    expect(requests(platform, 'block_add')).toEqual([]);
  });

  it('cannot block its own addresses', async () => {
    await type('block-target', '10.0.0.0/8');
    await waitFor(() => hook('block-refusal'));
    expect(hook<HTMLButtonElement>('block-submit').disabled).toBe(true);
  });

  it('unblocks only with a reason', async () => {
    await fireEvent.click(hook('block-remove'));
    await waitFor(() => hook('unblock-reason'));
    expect(hook<HTMLButtonElement>('unblock-confirm').disabled).toBe(true);
    await type('unblock-reason', 'Own scanner');
    await fireEvent.click(hook('unblock-confirm'));
    await waitFor(() => expect(requests(platform, 'block_remove')).toMatchObject([{ reason: 'Own scanner' }]));
  });

  it('does not call missing what nobody could look up', async () => {
    platform.answers.contain_list = () => ({
      containments: [
        {
          containment: { id: 'c1', kind: 'user', target: 'eve', per_min: null, reason: 'Incident #4', created_by: 'mara', created_at: '2026-01-01T00:00:00Z', expires_at: '2999-01-01T00:00:00Z', state: 'active', removed_at: null, removed_by: null, incident: null },
          incident: 4,
          redis_ttl_s: null,
        },
      ],
      total: 1,
    });
    app.queries.invalidate(['blocks']);
    const status = platform.answers.workspace_status;
    const state = (of: 'down' | 'connected') => async () => {
      const made = await status?.({});
      if (made === undefined) throw new Error('the demo has a status');
      return { ...made, redis: { state: of, detail: '', last_ok: null } };
    };
    platform.answers.workspace_status = state('connected');
    await app.live.look();
    await fireEvent.click(hook('blocks-tab-contained'));
    await waitFor(() => hook('contain-not-in-redis'));
    platform.answers.workspace_status = state('down');
    await app.live.look();
    await waitFor(() => hook('contain-unchecked'));
    expect(document.querySelector('[data-test=contain-not-in-redis]')).toBeNull();
  });

  it('shows the blocks of a time that was asked for', async () => {
    router.go('blocklist', null, { tab: 'added', added: '2026-11-20T14:20:00.000Z..2026-11-20T20:25:00.000Z' });
    await waitFor(() => hook('blocks-added'));
    await waitFor(() => expect(requests(platform, 'block_list')).toContainEqual({ state: [], created: { from: '2026-11-20T14:20:00.000Z', to: '2026-11-20T20:25:00.000Z' }, limit: 500 }));
    router.go('blocklist');
    await waitFor(() => expect(document.querySelector('[data-test=blocks-tab-added]')).toBeNull());
  });

  it('shows the blocks that were in force at a time that was asked for', async () => {
    router.go('blocklist', null, { tab: 'then', at: '2026-11-20T20:25:00.000001Z' });
    await waitFor(() => hook('blocks-then'));
    await waitFor(() => expect(requests(platform, 'block_list')).toContainEqual({ state: [], in_force_at: '2026-11-20T20:25:00.000001Z', limit: 500 }));
    router.go('blocklist');
    await waitFor(() => expect(document.querySelector('[data-test=blocks-tab-then]')).toBeNull());
  });

  it('manages the allowlist', async () => {
    await fireEvent.click(hook('blocks-tab-allowlist'));
    await waitFor(() => hook('allow-row'));
    expect(hook('own-addresses').textContent).toContain('10.0.0.7');
    await type('allow-target', '192.0.2.77');
    await type('allow-note', 'Payment provider');
    await fireEvent.submit(hook('allow-form'));
    await waitFor(() => expect(document.querySelector('[data-test=allow-row][data-target="192.0.2.77"]')).not.toBeNull());
  });
});
