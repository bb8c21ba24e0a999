// Whether anybody is there: the window locks when nobody was for as long as was set.

/** Windows of one program tell each other by this that somebody is there. */
const STORED = 'watchpost.active';
/** Between two looks. */
export const LOOK_MS = 5_000;
/** What tells that somebody is there. */
const SIGNS = ['keydown', 'pointerdown', 'pointermove', 'wheel'] as const;

export class Idle {
  readonly #now: () => number;
  #seen: number;
  #told = 0;

  constructor(now: () => number = Date.now) {
    this.#now = now;
    this.#seen = now();
  }

  /** Somebody is there. */
  touch(): void {
    this.#seen = this.#now();
    // Not with each move of the pointer.
    if (this.#seen - this.#told < LOOK_MS) return;
    this.#told = this.#seen;
    try {
      localStorage.setItem(STORED, String(this.#seen));
    } catch {
      // Without storage each window counts for itself.
    }
  }

  /** Was nobody at any window for so many minutes? */
  isOver(minutes: number): boolean {
    return this.#now() - Math.max(this.#seen, this.#elsewhere()) >= minutes * 60_000;
  }

  #elsewhere(): number {
    try {
      const told = Number(localStorage.getItem(STORED));
      // A clock that was ahead keeps no window open.
      return Number.isFinite(told) && told <= this.#now() ? told : 0;
    } catch {
      return 0;
    }
  }

  /** Looks for signs, and calls `look` now and then; the returned function ends it. */
  start(look: () => void): () => void {
    const touch = (): void => this.touch();
    for (const sign of SIGNS) window.addEventListener(sign, touch, { capture: true, passive: true });
    const timer = setInterval(look, LOOK_MS);
    return () => {
      clearInterval(timer);
      for (const sign of SIGNS) window.removeEventListener(sign, touch, { capture: true });
    };
  }
}
