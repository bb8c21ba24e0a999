// What a person likes on this machine. Kept in localStorage; nothing of the workspace is.

export type Theme = 'dark' | 'light' | 'contrast' | 'system';
export type Zone = 'local' | 'utc';

const THEMES: readonly Theme[] = ['dark', 'light', 'contrast', 'system'];
const ZONES: readonly Zone[] = ['local', 'utc'];

function load<T extends string>(key: string, allowed: readonly T[], otherwise: T): T {
  const stored = localStorage.getItem(`watchpost.${key}`);
  return allowed.find((value) => value === stored) ?? otherwise;
}

class Prefs {
  #theme = $state<Theme>(load('theme', THEMES, 'dark'));
  #zone = $state<Zone>(load('zone', ZONES, 'local'));
  #rail = $state<'wide' | 'narrow'>(load('rail', ['wide', 'narrow'], 'wide'));

  get theme(): Theme {
    return this.#theme;
  }

  set theme(theme: Theme) {
    this.#theme = theme;
    localStorage.setItem('watchpost.theme', theme);
    this.applyTheme();
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

  applyTheme(): void {
    document.documentElement.dataset['theme'] = this.#theme;
  }
}

export const prefs = new Prefs();
