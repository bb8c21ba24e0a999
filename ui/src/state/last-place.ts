// Where the window was when it was closed: the next one opens there, with its filters. Windows beside the first one come
// and go, and do not say where the first one was.
// Each panel has a place of its own: who comes back to it finds the filters, and what was open, as they were left.

import { formatRoute, PANELS, parseRoute, router, type Panel, type Route } from './router.svelte';

const KEY = 'watchpost.place';
/** The places of panels, as routes without what was open: that is of the moment. */
const KEY_PANELS = 'watchpost.places';
/** Of this window only, also when its page loads again. */
const FIRST = 'watchpost.first';
/** A place with a search that is longer is not kept. */
const LENGTH_MAX = 4_000;
/** Panels where what is open is a thing that one looks at; elsewhere it asks for a card or a dialog, once. */
const OPENS: readonly Panel[] = ['incidents', 'entities', 'rules'];

type Place = Pick<Route, 'detail' | 'query'>;
const places = new Map<Panel, Place>();

/** Goes where the window was, unless it was opened for a place; to be called before anything is drawn. */
export function restorePlace(): void {
  loadPlaces();
  if (location.hash !== '') return;
  sessionStorage.setItem(FIRST, 'yes');
  const kept = localStorage.getItem(KEY);
  if (kept === null) return;
  const { panel, detail, query } = parseRoute(kept);
  router.replace(panel, detail, query);
}

/** Keeps where the window is; over its end, if it is the first one. */
export function keepPlace({ panel, detail, query }: Route): void {
  const place = formatRoute(panel, detail, query);
  if (place.length > LENGTH_MAX) return;
  places.set(panel, { detail: OPENS.includes(panel) ? detail : null, query });
  if (sessionStorage.getItem(FIRST) === null) return;
  localStorage.setItem(KEY, place);
  localStorage.setItem(KEY_PANELS, JSON.stringify([...places].map(([name, kept]) => formatRoute(name, null, kept.query))));
}

/** Goes to a panel as it was left; where one is already there, to its beginning. */
export function goPanel(panel: Panel): void {
  const kept = router.current.panel === panel ? undefined : places.get(panel);
  router.go(panel, kept?.detail ?? null, kept?.query ?? {});
}

/** What was open is of another workspace from here on; how one filters stays. */
export function forgetOpened(): void {
  for (const [panel, { query }] of places) places.set(panel, { detail: null, query });
}

function loadPlaces(): void {
  places.clear();
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY_PANELS) ?? '[]');
    if (!Array.isArray(kept)) return;
    for (const text of kept.slice(0, PANELS.length)) {
      if (typeof text !== 'string') continue;
      const { panel, query } = parseRoute(text);
      places.set(panel, { detail: null, query });
    }
  } catch {
    // What cannot be read was not written by us; panels begin at their beginning.
  }
}
