import { fireEvent, render, waitFor } from '@testing-library/svelte';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Entity } from '$ui/generated/model';
import { closeBlock, pendingBlock } from '$ui/domain/block/block-request.svelte';
import { closeContain, pendingContain } from '$ui/domain/contain/contain-request.svelte';
import { closeEvents, pendingEvents } from '$ui/domain/event/events-request.svelte';
import { searched } from '$ui/domain/event/searched.svelte';
import { demoPlatform } from '$ui/platform/demo/index';
import type { FakePlatform } from '$ui/platform/fake';
import { App, appContext } from '$ui/state/app.svelte';
import { printing } from '$ui/state/printing.svelte';
import { router } from '$ui/state/router.svelte';
import { hook, requests } from '$ui/test-hook';
import EntityPage from './entity-page.svelte';

let platform: FakePlatform;

async function show(entity: Entity, change: () => void = () => undefined): Promise<void> {
  change();
  render(EntityPage, { context: appContext(new App(platform)), props: { entity } });
  await waitFor(() => hook('risk-card'));
}

const ADDRESS: Entity = { kind: 'ip', value: '203.0.113.7' };

beforeEach(() => {
  platform = demoPlatform();
  searched.query = '';
  router.go('entities');
});
afterEach(() => {
  closeBlock();
  closeEvents();
  closeContain();
});

describe('the page of an entity', () => {
  it('says that it is blocked, and for how long', async () => {
    const block = { id: '1', target: '203.0.113.7', reason: 'x', created_by: 'mara', created_at: new Date().toISOString(), expires_at: new Date(Date.now() + 7_200_000).toISOString(), state: 'active' as const, removed_at: null, removed_by: null, incident: null };
    await show(ADDRESS, () => {
      platform.answers.block_check = ({ target }) => ({ target, standing: 'blocked', detail: 'blocked by mara', block, key: 'security:block:203.0.113.7', redis_ttl_s: 7_200, in_redis: true, allow: null, inside_total: 0, inside: [] });
    });
    await waitFor(() => expect(hook('entity-standing').textContent).toContain('Blocked'));
    expect(hook('entity-page').querySelector('header')?.textContent).toMatch(/for (2 h|1 h 59 min) more/);
    await fireEvent.click(hook('entity-unblock'));
    await waitFor(() => hook('unblock-reason'));
    await fireEvent.input(hook('unblock-reason'), { target: { value: 'Own scanner' } });
    await fireEvent.click(hook('unblock-confirm'));
    await waitFor(() => expect(requests(platform, 'block_remove')).toEqual([{ id: '1', reason: 'Own scanner' }]));
  });

  it('leads to its incidents, its events, and narrows the search that is there', async () => {
    searched.query = 'severity:high';
    await show(ADDRESS);
    await fireEvent.click(hook('page-entity-filter-for'));
    expect([router.current.panel, router.current.query['q']]).toEqual(['events', 'severity:high ip:203.0.113.7']);
    await fireEvent.click(hook('page-entity-filter-out'));
    expect(router.current.query['q']).toBe('severity:high -ip:203.0.113.7');
  });

  it('asks for a block of an address, and for a restriction of a user', async () => {
    await show(ADDRESS);
    await fireEvent.click(hook('page-entity-block'));
    expect(pendingBlock.request).toMatchObject({ target: '203.0.113.7', incident: null });
    expect(document.querySelector('[data-test=page-entity-contain]')).toBeNull();
  });

  it('of a user has no block, but a restriction', async () => {
    const user: Entity = { kind: 'user', value: 'mara' };
    const answer = platform.answers.entity_risk_show;
    platform.answers.entity_risk_show = async (request) => {
      const detail = await answer?.(request);
      if (detail === undefined) throw new Error('the demo knows a risk');
      return { ...detail, place: null, has_location_data: false, risk: { ...detail.risk, entity: user } };
    };
    await show(user);
    expect(document.querySelector('[data-test=page-entity-block]')).toBeNull();
    expect(requests(platform, 'block_check'), 'a user is no address').toEqual([]);
    expect(hook('risk-card').textContent, 'nor has a place').not.toContain('Place');
    await fireEvent.click(hook('page-entity-contain'));
    expect(pendingContain.request).toMatchObject({ kind: 'user', target: 'mara' });
  });

  it('opens an event that it lists, and the events that it shares with another', async () => {
    await show(ADDRESS);
    await waitFor(() => hook('entity-event-open'));
    await fireEvent.click(hook('entity-event-open'));
    expect(pendingEvents.request).toMatchObject({ period: null, query: expect.stringMatching(/^id:\S+$/) as string });
    await waitFor(() => hook('entity-both'));
    await fireEvent.click(hook('entity-both'));
    expect(pendingEvents.request?.query).toMatch(/^ip:203\.0\.113\.7 \w+:/);
  });

  it('of a range asks for what its addresses have', async () => {
    await show({ kind: 'ip', value: '203.0.113.0/24' });
    expect(hook('entity-kind').textContent).toBe('Address range');
    expect(requests(platform, 'event_page').at(-1)).toMatchObject({ entity: { kind: 'ip', value: '203.0.113.0/24' } });
    expect(requests(platform, 'event_figures').at(-1)).toMatchObject({ query: 'ip:203.0.113.0/24' });
    expect(requests(platform, 'incident_page').at(-1)).toMatchObject({ filter: { entity: { kind: 'ip', value: '203.0.113.0/24' } } });
  });

  it('tells when it was seen, the course of its risk, and how its blocks ended', async () => {
    const block = { id: '1', target: '203.0.113.0/24', reason: 'scan', created_by: 'mara', created_at: '2026-11-01T10:00:00Z', expires_at: '2026-11-02T10:00:00Z', state: 'removed' as const, removed_at: '2026-11-01T12:00:00Z', removed_by: 'jonas', incident: null };
    await show(ADDRESS, () => {
      platform.answers.block_list = () => ({ blocks: [{ block, incident: 7, redis_ttl_s: null }], total: 1, in_force: 0, not_in_force: 0, allowlist: [], own_addresses: [] });
    });
    await waitFor(() => hook('entity-block'));
    expect(requests(platform, 'block_list').at(-1)).toMatchObject({ state: [], touching: '203.0.113.7' });
    expect(hook('entity-block').textContent).toMatch(/203\.0\.113\.0\/24.*#7.*scan.*mara.*Removed.*by jonas/s);
    expect(hook('entity-first-seen').textContent).toContain('First seen');
    await fireEvent.click(hook('risk-course-table-toggle'));
    expect(hook('risk-course').querySelectorAll('table tbody tr').length).toBeGreaterThan(100);
  });

  it('lists an incident once, and says how its points become the risk', async () => {
    await show(ADDRESS);
    const made = hook<HTMLDetailsElement>('risk-made-of');
    expect(made.open, 'the incidents have a card of their own').toBe(false);
    expect(made.querySelector('summary')?.textContent).toMatch(/^What it is made of: \d+ incidents?$/);
    expect(made.textContent).toContain('each 50 points go half of the way');
    printing.on = true;
    await waitFor(() => expect(made.open, 'on paper').toBe(true));
    printing.on = false;
    await waitFor(() => expect(made.open).toBe(false));
  });

  it('does not look unblocked when nobody knows', async () => {
    const failure: unknown = { code: 'timeout', message: 'Redis does not answer' };
    await show(ADDRESS, () => {
      platform.answers.block_check = () => {
        throw failure;
      };
    });
    await waitFor(() => expect(hook('entity-standing-unknown').textContent).toContain('unknown'));
  });

  it('says of each part what failed, and shows the others', async () => {
    const failure: unknown = { code: 'timeout', message: 'the archive does not answer' };
    platform.answers.event_page = () => {
      throw failure;
    };
    await show(ADDRESS);
    await waitFor(() => expect(hook('error-state').textContent).toContain('The archive does not answer'));
    expect(hook('risk-card').textContent).toContain('64.5');
  });
});
