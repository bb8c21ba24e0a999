// What a panel filters by, as it stands in its address: read from there, and written there after a pause in typing, so that
// links, the way back and the memory of panels know it.

import { untrack } from 'svelte';
import { debounced } from '$ui/shared/debounced';
import { router, type Panel } from './router.svelte';

/** The page takes about three changes of its address a second, no more. */
const PAUSE_MS = 350;

/** To be called while a component of the panel is set up. What is empty needs no word in the address. */
export function routeWords<Name extends string>(panel: Panel, names: readonly Name[]): Record<Name, string> {
  const told = (): Record<Name, string> => Object.fromEntries(names.map((name) => [name, router.current.query[name] ?? ''])) as Record<Name, string>;
  const words = $state(told());
  let waiting = false;

  const write = debounced(PAUSE_MS, () => {
    waiting = false;
    const { panel: shown, detail, query } = router.current;
    if (shown !== panel) return;
    const others = Object.entries(query).filter(([name]) => !names.some((known) => known === name));
    router.replace(panel, detail, Object.fromEntries([...others, ...Object.entries<string>(words).filter(([, word]) => word !== '')]));
  });

  $effect(() => {
    const chosen = JSON.stringify(words);
    untrack(() => {
      waiting = chosen !== JSON.stringify(told());
      if (waiting) write();
      else write.cancel();
    });
  });

  // Somebody went back, or followed a link; what is being typed is newer than the address.
  $effect(() => {
    if (router.current.panel !== panel) return;
    const next = told();
    untrack(() => {
      if (!waiting) Object.assign(words, next);
    });
  });

  return words;
}
