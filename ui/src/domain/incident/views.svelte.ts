// Saved views of the queue: a name and what stands in the address. Kept on this machine.

const KEY = 'watchpost.views';
const MOST = 20;

export interface SavedView {
  name: string;
  query: Readonly<Record<string, string>>;
}

function isView(value: unknown): value is SavedView {
  if (typeof value !== 'object' || value === null) return false;
  const { name, query } = value as Partial<Record<keyof SavedView, unknown>>;
  return typeof name === 'string' && typeof query === 'object' && query !== null && Object.values(query).every((part) => typeof part === 'string');
}

function load(): SavedView[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(stored) ? stored.filter(isView).slice(0, MOST) : [];
  } catch {
    return [];
  }
}

class SavedViews {
  #all = $state.raw<readonly SavedView[]>(load());

  get all(): readonly SavedView[] {
    return this.#all;
  }

  /** Keeps a view; one of the same name is replaced. */
  save(name: string, query: Readonly<Record<string, string>>): void {
    this.#put([...this.#all.filter((view) => view.name !== name), { name, query }].slice(-MOST));
  }

  remove(name: string): void {
    this.#put(this.#all.filter((view) => view.name !== name));
  }

  #put(views: readonly SavedView[]): void {
    this.#all = views;
    localStorage.setItem(KEY, JSON.stringify(views));
  }
}

export const savedViews = new SavedViews();

/** Are two addresses of the queue the same view? */
export function sameView(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const keys = Object.keys(a).filter((key) => key !== 'view');
  const others = Object.keys(b).filter((key) => key !== 'view');
  return keys.length === others.length && keys.every((key) => a[key] === b[key]);
}
