// Where a list was when its panel was left: who comes back to the same list in this window finds it scrolled to the same
// place, with the same row chosen.

import type { ListPlace, ListSpot } from '$ui/shared/grid/types';
import type { App } from './app.svelte';

interface Left extends ListSpot {
  /** Of which list: what it was filtered and ordered by, and in which workspace. */
  of: string;
}

const left = new WeakMap<App, Map<string, Left>>();

/** To be asked for by each mounted panel anew. `of` tells one list of it from another: that of other filters begins at its top. */
export function listPlace(app: App, name: string, of: () => unknown): ListPlace {
  const places = left.get(app) ?? new Map<string, Left>();
  left.set(app, places);
  const now = (): string => JSON.stringify([app.live.workspace, of()]);
  let fresh = false;
  return {
    take() {
      const spot = places.get(name);
      return fresh || spot === undefined || spot.of !== now() ? null : spot;
    },
    keep(spot) {
      places.set(name, { ...spot, of: now() });
    },
    forget() {
      fresh = true;
    },
  };
}
