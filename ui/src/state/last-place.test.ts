import { beforeEach, describe, expect, it } from 'vitest';
import { forgetOpened, goPanel, keepPlace, restorePlace } from './last-place';
import { router } from './router.svelte';

/** A window opens at this address; what it shows is drawn, and kept. */
function open(hash: string): void {
  sessionStorage.clear();
  history.replaceState(null, '', `${location.pathname}${hash}`);
  router.current = { panel: 'overview', detail: null, query: {} };
  restorePlace();
  keepPlace(router.current);
}

function go(...place: Parameters<typeof router.go>): void {
  router.go(...place);
  keepPlace(router.current);
}

beforeEach(() => localStorage.clear());

describe('the place of the window', () => {
  it('is where it was, with filters and tab', () => {
    open('');
    expect(router.current.panel, 'the first time').toBe('overview');
    go('incidents', '42', { status: 'all', view: 'full' });
    open('');
    expect(router.current).toEqual({ panel: 'incidents', detail: '42', query: { status: 'all', view: 'full' } });
  });

  it('is not that of a window that was opened for a place', () => {
    open('');
    go('redis');
    open('#/incidents/7');
    go('audit');
    open('');
    expect(router.current.panel).toBe('redis');
  });

  it('is the overview where what was kept is none, and leaves out what is too long', () => {
    localStorage.setItem('watchpost.place', 'javascript:alert(1)');
    open('');
    expect(router.current).toEqual({ panel: 'overview', detail: null, query: {} });
    go('rules');
    go('events', null, { q: 'a'.repeat(5_000) });
    open('');
    expect(router.current.panel).toBe('rules');
  });
});

describe('the place of a panel', () => {
  function panel(name: Parameters<typeof goPanel>[0]): { detail: string | null; query: Readonly<Record<string, string>> } {
    goPanel(name);
    keepPlace(router.current);
    expect(router.current.panel).toBe(name);
    return { detail: router.current.detail, query: router.current.query };
  }

  it('is where it was left, with what was open; pressed again it is at its beginning', () => {
    open('');
    expect(panel('incidents')).toEqual({ detail: null, query: {} });
    go('incidents', '42', { severity: 'high', order: 'due' });
    go('rules', null, { text: 'sqli' });
    go('overview');
    expect(panel('incidents')).toEqual({ detail: '42', query: { severity: 'high', order: 'due' } });
    expect(panel('rules').query).toEqual({ text: 'sqli' });
    expect(panel('rules').query, 'it was there already').toEqual({});
  });

  it('keeps its filters over the end of the window, without what was open', () => {
    open('');
    go('incidents', '42', { severity: 'high' });
    go('audit', null, { actor: 'mara' });
    open('');
    expect(router.current.panel).toBe('audit');
    expect(panel('incidents')).toEqual({ detail: null, query: { severity: 'high' } });
  });

  it('opens nothing of another workspace, and no dialog a second time', () => {
    open('');
    go('settings', 'connect');
    go('entities', 'ip:203.0.113.7', { kind: 'ip' });
    go('overview');
    expect(panel('settings').detail).toBeNull();
    forgetOpened();
    expect(panel('entities')).toEqual({ detail: null, query: { kind: 'ip' } });
  });

  it('is none where what was kept is none', () => {
    localStorage.setItem('watchpost.places', '{"not": "a list"}');
    open('');
    expect(panel('incidents').query).toEqual({});
    localStorage.setItem('watchpost.places', '[7, "#/nowhere?x=1", "#/audit?actor=mara"');
    open('');
    goPanel('overview');
    expect(panel('audit').query).toEqual({});
  });
});
