// Hash routes: `#/panel`, `#/panel/detail`, `#/panel?name=value`.

export const PANELS = ['overview', 'incidents', 'events', 'entities', 'blocklist', 'rules', 'baselines', 'redis', 'maintenance', 'reports', 'audit', 'settings'] as const;
export type Panel = (typeof PANELS)[number];

export interface Route {
  panel: Panel;
  /** What follows the panel: the number of an incident. */
  detail: string | null;
  query: Readonly<Record<string, string>>;
}

export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  const [panel, detail] = path.split('/');
  return {
    panel: PANELS.find((known) => known === panel) ?? 'overview',
    detail: detail === undefined || detail === '' ? null : decode(detail),
    query: Object.fromEntries(new URLSearchParams(query)),
  };
}

export function formatRoute(panel: Panel, detail: string | null = null, query: Readonly<Record<string, string>> = {}): string {
  const search = new URLSearchParams(query).toString();
  return `#/${panel}${detail === null ? '' : `/${encodeURIComponent(detail)}`}${search === '' ? '' : `?${search}`}`;
}

/** A route as links and windows name it: `incidents/42?view=full`. */
export function routeText({ panel, detail, query }: Route): string {
  return formatRoute(panel, detail, query).slice(2);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

class Router {
  current = $state.raw<Route>(parseRoute(location.hash));

  /** Places of this window before the one that is shown; each place of the history knows its own. */
  #before = -1;

  constructor() {
    this.#count();
    addEventListener('hashchange', () => {
      this.#count();
      this.current = parseRoute(location.hash);
    });
  }

  go(panel: Panel, detail: string | null = null, query: Readonly<Record<string, string>> = {}): void {
    location.hash = formatRoute(panel, detail, query);
    this.#count();
    this.current = parseRoute(location.hash);
  }

  /** Goes to a route from outside; what is no route leads to the overview. */
  follow(route: string): void {
    location.hash = `#/${route}`;
    this.#count();
    this.current = parseRoute(location.hash);
  }

  /** Changes the place without a step in the history: for filters while typing. */
  replace(panel: Panel, detail: string | null, query: Readonly<Record<string, string>>): void {
    history.replaceState(history.state, '', formatRoute(panel, detail, query));
    this.current = parseRoute(location.hash);
  }

  /** To where somebody came from; where the window began here, to a place that is always there. */
  back(panel: Panel, detail: string | null = null, query: Readonly<Record<string, string>> = {}): void {
    if (this.#before > 0) history.back();
    else this.go(panel, detail, query);
  }

  /** A new place has no number yet: it is one after that which was shown. */
  #count(): void {
    const known: unknown = history.state;
    if (typeof known === 'number') this.#before = known;
    else {
      this.#before += 1;
      history.replaceState(this.#before, '');
    }
  }
}

export const router = new Router();

/** Which tab of a panel is open, as it stands in the address: who comes back, or follows a link, finds it. The first one needs no word. */
export function routeTab<T extends string>(panel: Panel, tabs: readonly [T, ...T[]]): { value: T } {
  const [first] = tabs;
  return {
    get value() {
      const { current } = router;
      return (current.panel === panel ? tabs.find((tab) => tab === current.query['tab']) : undefined) ?? first;
    },
    set value(next) {
      const { detail, query } = router.current;
      const others = Object.fromEntries(Object.entries(query).filter(([name]) => name !== 'tab'));
      router.replace(panel, detail, next === first ? others : { ...others, tab: next });
    },
  };
}
