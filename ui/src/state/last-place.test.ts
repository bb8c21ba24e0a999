import { beforeEach, describe, expect, it } from 'vitest';
import { keepPlace, restorePlace } from './last-place';
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
