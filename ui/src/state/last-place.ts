// Where the window was when it was closed: the next one opens there, with its filters. Windows beside the first one come
// and go, and do not say where the first one was.

import { formatRoute, parseRoute, router, type Route } from './router.svelte';

const KEY = 'watchpost.place';
/** Of this window only, also when its page loads again. */
const FIRST = 'watchpost.first';
/** A place with a search that is longer is not kept. */
const LENGTH_MAX = 4_000;

/** Goes where the window was, unless it was opened for a place; to be called before anything is drawn. */
export function restorePlace(): void {
  if (location.hash !== '') return;
  sessionStorage.setItem(FIRST, 'yes');
  const kept = localStorage.getItem(KEY);
  if (kept === null) return;
  const { panel, detail, query } = parseRoute(kept);
  router.replace(panel, detail, query);
}

/** Keeps where the window is, if it is the first one. */
export function keepPlace({ panel, detail, query }: Route): void {
  if (sessionStorage.getItem(FIRST) === null) return;
  const place = formatRoute(panel, detail, query);
  if (place.length <= LENGTH_MAX) localStorage.setItem(KEY, place);
}
