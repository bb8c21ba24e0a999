import { render, waitFor } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';
import { demoPlatform } from '$ui/platform/demo/index';
import { App, appContext } from '$ui/state/app.svelte';
import { router } from '$ui/state/router.svelte';
import { BESIDE, seenWith } from '$ui/domain/entity/seen-with';
import { entityKey, parseEntityKey } from '$ui/domain/entity/key';
import EntitiesView from './entities-view.svelte';

describe('entities', () => {
  beforeEach(() => router.go('entities'));

  it('are ranked by risk, with names that an attacker chose as text', async () => {
    router.go('entities', null, { kind: 'user' });
    render(EntitiesView, { context: appContext(new App(demoPlatform())) });
    await waitFor(() => expect(document.querySelector('[data-test=risk-row]')?.textContent).toContain('12.5'));
    expect(document.querySelector('img'), 'no element was made of it').toBeNull();
    expect(document.querySelector('[data-test=risk-row]')?.textContent).not.toContain('\u202e');
  });

  it('have a page with risk, incidents, events and what stands beside them', async () => {
    router.go('entities', 'ip:203.0.113.7');
    const platform = demoPlatform();
    render(EntitiesView, { context: appContext(new App(platform)) });
    await waitFor(() => expect(document.querySelector('[data-test=risk-card]')?.textContent).toContain('64.5'));
    await waitFor(() => expect(document.querySelectorAll('[data-test=entity-event]').length).toBeGreaterThan(5));
    expect(document.querySelector('[data-test=entity-standing]')?.textContent).toContain('Not blocked');
    expect(platform.calls.find((call) => call.name === 'event_page')?.request).toMatchObject({ entity: { kind: 'ip', value: '203.0.113.7' }, period: null });
  });

  it('keep colons of an address in the address of the page', () => {
    const entity = { kind: 'ip' as const, value: '2001:db8::1' };
    expect(parseEntityKey(entityKey(entity))).toEqual(entity);
    expect(parseEntityKey('nonsense:1')).toBeNull();
  });

  it('count who stands beside them, without themselves', async () => {
    const platform = demoPlatform();
    const figures = await platform.call('event_figures', { period: null, query: null, buckets: 1, facets: [...BESIDE] });
    const source = figures.facets.find((facet) => facet.field === 'ip')?.values[0]?.value;
    if (source === undefined) throw new Error('the demo has sources');
    const found = seenWith({ kind: 'ip', value: source }, figures);
    expect(found.length).toBeGreaterThan(0);
    expect(found.some((one) => one.entity.kind === 'ip' && one.entity.value === source)).toBe(false);
    expect(found.map((one) => one.events)).toEqual(found.map((one) => one.events).toSorted((a, b) => b - a));
  });
});
