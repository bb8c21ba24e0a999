// Work that a person started from a form, a dialog or a card: one at a time. While it is under way the control that
// started it is busy; what went wrong stands beside it; and the keyboard is where it was when the work is over.

import { tick } from 'svelte';
import { normaliseError, type OperationError } from './error';

export class Work<What extends string = string> {
  #doing = $state<What | null>(null);
  /** Why the last work failed; `null` from the start of the next one. A caller may put a fault of its own here. */
  fault = $state.raw<OperationError | null>(null);
  /** Grows when the place of the work becomes another: what comes late belongs to nothing that is shown. */
  #place = 0;

  /** What is under way, for several controls that share one fault; `null` while nothing is. */
  get doing(): What | null {
    return this.#doing;
  }

  get busy(): boolean {
    return this.#doing !== null;
  }

  /** Does the work and returns what it came to: `null` when it failed, or when other work is under way and this was not begun. */
  async run<Done>(work: () => Promise<Done>, what?: What): Promise<Done | null> {
    if (this.busy) return null;
    const place = this.#place;
    const giveBack = holdFocus();
    this.#doing = what ?? ('work' as What);
    this.fault = null;
    try {
      return await work();
    } catch (thrown) {
      if (place === this.#place) this.fault = normaliseError(thrown);
      return null;
    } finally {
      if (place === this.#place) {
        this.#doing = null;
        void giveBack();
      }
    }
  }

  /** The place is about something else from here on: nothing is under way and nothing went wrong. */
  reset(): void {
    this.#place += 1;
    this.#doing = null;
    this.fault = null;
  }
}

/** A busy control is disabled and a disabled one loses the focus; the returned function gives it back, unless it went elsewhere. */
function holdFocus(): () => Promise<void> {
  const before = document.activeElement;
  return async () => {
    await tick();
    const nowhere = document.activeElement === null || document.activeElement === document.body;
    if (nowhere && before instanceof HTMLElement && before.isConnected) before.focus();
  };
}
