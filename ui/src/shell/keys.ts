// Keys that work everywhere. A key that a person types into a field is never one of them.

import { isTyping, keysTaken } from '$ui/shared/typing';

/** Nobody types, and nobody goes through controls: a list that appears may take the focus. Who came by the rail has pressed it. */
export function focusIsFree(): boolean {
  const { activeElement } = document;
  return activeElement === null || activeElement === document.body || activeElement.closest('nav a[aria-current=page]') !== null;
}

export interface KeyActions {
  palette: () => void;
  help: () => void;
  rail: () => void;
  print: () => void;
  refresh: () => void;
  /** Locks the window; `null` where there is none to lock. */
  lock: (() => void) | null;
  /** Larger, smaller, or as it is; returns whether the window does that by itself. */
  zoom: (step: -1 | 0 | 1) => boolean;
  /** What is shown, in a window of its own. */
  window: () => void;
  /** The second key after `g`; returns whether there is such a panel. */
  go: (key: string) => boolean;
}

/** With Ctrl; `=` is on the key of `+`. */
const ZOOM_KEYS: ReadonlyMap<string, -1 | 0 | 1> = new Map([
  ['+', 1],
  ['=', 1],
  ['-', -1],
  ['0', 0],
]);

/** How long `g` waits for its second key, in milliseconds. */
const CHORD_MS = 1_200;

export class GlobalKeys {
  readonly #actions: KeyActions;
  readonly #now: () => number;
  #chordAt: number | null = null;

  constructor(actions: KeyActions, now: () => number = Date.now) {
    this.#actions = actions;
    this.#now = now;
  }

  /** Handles a key; true if it was used. */
  handle(event: KeyboardEvent): boolean {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
      this.#actions.palette();
      return true;
    }
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'p') {
      this.#actions.print();
      return true;
    }
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'l' && this.#actions.lock !== null) {
      this.#actions.lock();
      return true;
    }
    const step = ZOOM_KEYS.get(event.key);
    if ((event.ctrlKey || event.metaKey) && step !== undefined) return this.#actions.zoom(step);
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return false;
    if (keysTaken()) return false;
    const chord = this.#chordAt !== null && this.#now() - this.#chordAt < CHORD_MS;
    this.#chordAt = null;
    if (chord) return this.#actions.go(event.key);
    switch (event.key) {
      case 'g':
        this.#chordAt = this.#now();
        return true;
      case '?':
        this.#actions.help();
        return true;
      case '[':
        this.#actions.rail();
        return true;
      case 'W':
        this.#actions.window();
        return true;
      case 'R':
        this.#actions.refresh();
        return true;
      default:
        return false;
    }
  }
}
