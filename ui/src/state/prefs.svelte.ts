// What a person likes on this machine. Kept in localStorage; nothing of the workspace is.

export type Theme = 'dark' | 'light' | 'contrast' | 'system';
export type Zone = 'local' | 'utc';

const THEMES: readonly Theme[] = ['dark', 'light', 'contrast', 'system'];
/** Sizes of everything in the window, one after the other. */
export const ZOOMS = [0.67, 0.75, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 1.75, 2] as const;
const ZONES: readonly Zone[] = ['local', 'utc'];

function load<T extends string>(key: string, allowed: readonly T[], otherwise: T): T {
  const stored = localStorage.getItem(`watchpost.${key}`);
  return allowed.find((value) => value === stored) ?? otherwise;
}

class Prefs {
  #theme = $state<Theme>(load('theme', THEMES, 'dark'));
  #zone = $state<Zone>(load('zone', ZONES, 'local'));
  #rail = $state<'wide' | 'narrow'>(load('rail', ['wide', 'narrow'], 'wide'));
  #trust = $state<'open' | 'closed'>(load('trust', ['open', 'closed'], 'closed'));

  #zoom = $state<number>(ZOOMS.find((size) => String(size) === localStorage.getItem('watchpost.zoom')) ?? 1);

  get theme(): Theme {
    return this.#theme;
  }

  set theme(theme: Theme) {
    this.#theme = theme;
    localStorage.setItem('watchpost.theme', theme);
    this.applyTheme();
  }

  /** The name of the zone for requests, so that times are read as they are shown; absent where the system has no name for it. */
  get zoneId(): string | undefined {
    if (this.#zone === 'utc') return undefined;
    const name = Intl.DateTimeFormat().resolvedOptions().timeZone;
    return /^[A-Za-z]/.test(name) ? name : undefined;
  }

  get zone(): Zone {
    return this.#zone;
  }

  set zone(zone: Zone) {
    this.#zone = zone;
    localStorage.setItem('watchpost.zone', zone);
  }

  get rail(): 'wide' | 'narrow' {
    return this.#rail;
  }

  set rail(rail: 'wide' | 'narrow') {
    this.#rail = rail;
    localStorage.setItem('watchpost.rail', rail);
  }

  /** Whether the audit trail shows on what its evidence rests. */
  get trust(): 'open' | 'closed' {
    return this.#trust;
  }

  set trust(trust: 'open' | 'closed') {
    this.#trust = trust;
    localStorage.setItem('watchpost.trust', trust);
  }

  get zoom(): number {
    return this.#zoom;
  }

  /** The next size up or down; by nothing, the size that it has without. */
  zoomBy(step: -1 | 0 | 1): void {
    const at = ZOOMS.findIndex((size) => size === this.#zoom);
    this.#zoom = step === 0 ? 1 : (ZOOMS[Math.min(Math.max(at + step, 0), ZOOMS.length - 1)] ?? 1);
    localStorage.setItem('watchpost.zoom', String(this.#zoom));
  }

  /** Another window changed what holds for all of them: theme and zone are kept already. Size and rail are each window's own. */
  follow(): void {
    this.#theme = load('theme', THEMES, 'dark');
    this.#zone = load('zone', ZONES, 'local');
    this.applyTheme();
  }

  applyTheme(): void {
    document.documentElement.dataset['theme'] = this.#theme;
  }
}

export const prefs = new Prefs();
// Only other windows hear of it, not the one that wrote.
addEventListener('storage', (event) => {
  if (event.key === 'watchpost.theme' || event.key === 'watchpost.zone') prefs.follow();
});

/** The zone of a request whose query may name times. */
export function zoned(): { zone?: string } {
  const zone = prefs.zoneId;
  return zone === undefined ? {} : { zone };
}
