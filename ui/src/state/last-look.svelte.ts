// When this workspace was last looked at from this machine, and the time away from it that nobody has caught up with yet.
//
// While the window has the focus somebody looks; that is noted every minute, for each workspace. Who comes back after a
// while was away: the time between is kept until a person says that it is seen, also over starts of the window.

const KEY = 'watchpost.looked';
/** A shorter time than this is no absence, in milliseconds. */
export const AWAY_MS = 15 * 60_000;
const EVERY_MS = 60_000;
/** Workspaces that are remembered; the one that was looked at longest ago goes first. */
const MOST = 20;

export interface Away {
  /** Unix milliseconds. */
  from: number;
  to: number;
}

interface Look {
  at: number;
  away?: Away;
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0;
}

function isLook(value: unknown): value is Look {
  if (typeof value !== 'object' || value === null) return false;
  const { at, away } = value as { at?: unknown; away?: Partial<Record<keyof Away, unknown>> };
  return isTime(at) && (away === undefined || (isTime(away.from) && isTime(away.to) && away.from < away.to));
}

function load(): Map<string, Look> {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(KEY) ?? '{}');
    return new Map(typeof stored === 'object' && stored !== null ? Object.entries(stored).filter((entry): entry is [string, Look] => isLook(entry[1])) : []);
  } catch {
    return new Map();
  }
}

function save(looks: ReadonlyMap<string, Look>): void {
  const kept = [...looks].toSorted(([, a], [, b]) => b.at - a.at).slice(0, MOST);
  localStorage.setItem(KEY, JSON.stringify(Object.fromEntries(kept)));
}

export class LastLook {
  /** The time away that is not seen yet; `null` of none. */
  away = $state.raw<Away | null>(null);
  #workspace: string | null = null;

  /** Somebody looks at this workspace now. */
  look(workspace: string, now: number): void {
    // Read anew each time: another window on the same workspace may have looked, or have said that it is seen.
    const looks = load();
    const before = looks.get(workspace);
    const gone = before !== undefined && now - before.at > AWAY_MS;
    const away = gone ? { from: before.away?.from ?? before.at, to: now } : before?.away;
    // A clock that was put back begins anew.
    looks.set(workspace, { at: now, ...(away === undefined ? {} : { away }) });
    save(looks);
    this.#workspace = workspace;
    if (away?.from !== this.away?.from || away?.to !== this.away?.to) this.away = away ?? null;
  }

  /** What happened meanwhile is known now. */
  seen(): void {
    this.away = null;
    const looks = load();
    const before = this.#workspace === null ? undefined : looks.get(this.#workspace);
    if (this.#workspace === null || before === undefined) return;
    looks.set(this.#workspace, { at: before.at });
    save(looks);
  }

  /** Notes that somebody looks for as long as the window has the focus; the returned function ends it. */
  watch(workspace: string): () => void {
    // What was missed in the workspace before is nothing of this one.
    if (workspace !== this.#workspace) this.away = null;
    const look = (): void => {
      if (!document.hidden && document.hasFocus()) this.look(workspace, Date.now());
    };
    look();
    const timer = setInterval(look, EVERY_MS);
    addEventListener('focus', look);
    return () => {
      clearInterval(timer);
      removeEventListener('focus', look);
    };
  }
}

export const lastLook = new LastLook();
