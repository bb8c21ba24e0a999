import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { formatRoute, parseRoute, routeTab, router } from './router.svelte';

describe('routes', () => {
  it.each([
    ['', { panel: 'overview', detail: null, query: {} }],
    ['#/incidents', { panel: 'incidents', detail: null, query: {} }],
    ['#/incidents/42', { panel: 'incidents', detail: '42', query: {} }],
    ['#/incidents?severity=high&text=a%20b', { panel: 'incidents', detail: null, query: { severity: 'high', text: 'a b' } }],
    ['#/nowhere', { panel: 'overview', detail: null, query: {} }],
    ['#/incidents/%E0%A4%A', { panel: 'incidents', detail: '%E0%A4%A', query: {} }],
  ])('%s', (hash, expected) => {
    expect(parseRoute(hash)).toEqual(expected);
  });

  it('comes back from its own text, whatever an entity is called', () => {
    for (const value of ['ip:2001:db8::1', 'user:a&b=c?d#e/f', 'endpoint:/cgi-bin/.%2e/', 'user:\u202egpj']) {
      const route = parseRoute(formatRoute('incidents', '7', { entity: value }));
      expect(route).toEqual({ panel: 'incidents', detail: '7', query: { entity: value } });
    }
  });
});

describe('links from outside', () => {
  it.each([
    ['incidents/42', 'incidents', '42'],
    ['audit', 'audit', null],
    ['no-such-panel', 'overview', null],
  ])('%s', (route, panel, detail) => {
    router.follow(route);
    expect(router.current).toMatchObject({ panel, detail });
  });
});

describe('the way back', () => {
  it('leads to where one came from, and to a place that is always there from where the window began', () => {
    // The browser of the tests keeps no history: as a real one does, each new place begins without a state.
    let state: unknown = 0;
    vi.spyOn(history, 'state', 'get').mockImplementation(() => state);
    vi.spyOn(history, 'replaceState').mockImplementation((next: unknown) => (state = next));
    const back = vi.spyOn(history, 'back').mockImplementation(() => undefined);
    onTestFinished(() => {
      vi.restoreAllMocks();
    });
    dispatchEvent(new Event('hashchange'));
    router.back('entities', null, { kind: 'user' });
    expect([router.current.panel, router.current.query, back.mock.calls.length]).toEqual(['entities', { kind: 'user' }, 0]);
    state = null;
    router.go('events');
    state = null;
    router.go('entities', 'ip:203.0.113.7');
    dispatchEvent(new Event('hashchange'));
    expect(state, 'a place is counted once').toBe(2);
    router.back('entities');
    expect([router.current.detail, back.mock.calls.length]).toEqual(['ip:203.0.113.7', 1]);
    router.replace('entities', 'ip:203.0.113.7', { x: '1' });
    expect(state, 'another word in the address is no step').toBe(2);
  });
});

describe('the tab of a panel', () => {
  it('stands in the address, and leaves the rest of it alone', () => {
    const place = routeTab('reports', ['new', 'history']);
    router.go('reports', null, { x: '1' });
    expect(place.value).toBe('new');
    place.value = 'history';
    expect([place.value, router.current.query]).toEqual(['history', { x: '1', tab: 'history' }]);
    place.value = 'new';
    expect(router.current.query, 'the first one needs no word').toEqual({ x: '1' });
  });

  it('is the first one where the address says nothing that is one', () => {
    const place = routeTab('reports', ['new', 'history']);
    router.go('reports', null, { tab: '<b>' });
    expect(place.value).toBe('new');
    router.go('rules', null, { tab: 'history' });
    expect(place.value, 'of another panel').toBe('new');
  });
});
