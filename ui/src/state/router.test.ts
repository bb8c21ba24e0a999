import { describe, expect, it } from 'vitest';
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
