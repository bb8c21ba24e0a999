import { fireEvent, render, screen, waitFor } from '@testing-library/svelte';
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

  it('are gone through with j and k from wherever the focus is, and opened with Enter', async () => {
    render(EntitiesView, { context: appContext(new App(demoPlatform())) });
    await waitFor(() => expect(document.querySelectorAll('[data-test=risk-row]').length).toBeGreaterThan(2));
    const links = [...document.querySelectorAll('[data-test=risk-row] [data-test=entity-link]')];
    const press = (key: string): Promise<boolean> => fireEvent.keyDown(document.activeElement ?? document.body, { key });
    for (const [key, row] of [['j', 0], ['j', 1], ['j', 2], ['k', 1], ['G', links.length - 1], ['Home', 0], ['k', 0]] as const) {
      await press(key);
      expect(document.activeElement, key).toBe(links[row]);
    }
    expect(await press('Enter'), 'it is a link').toBe(true);
    document.querySelector<HTMLElement>('[data-test=entity-search]')?.focus();
    await press('j');
    expect(document.activeElement, 'a letter for the box').toBe(document.querySelector('[data-test=entity-search]'));
  });

  it('stand in a table whose columns have names, and say that a place is not known', async () => {
    const platform = demoPlatform();
    const answer = platform.answers.entity_risk_top;
    platform.answers.entity_risk_top = async (request) => {
      const page = await answer?.(request);
      if (page === undefined) throw new Error('the demo has risk');
      return { ...page, has_location_data: true, rows: page.rows.map((row) => ({ ...row, place: null })) };
    };
    render(EntitiesView, { context: appContext(new App(platform)) });
    const heads = (): (string | null)[] => screen.getAllByRole('columnheader').map((head) => head.textContent);
    await waitFor(() => expect(heads()).toEqual(['Risk, of 100', 'IP address', 'Incidents', 'Place', 'Threat lists', 'Last rose']));
    expect(document.querySelector('[data-test=risk-row]')?.textContent).toContain('not in the location file');
    router.go('entities', null, { kind: 'user' });
    await waitFor(() => expect(heads()).toEqual(['Risk, of 100', 'User', 'Incidents', 'Last rose']));
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
