// Parts of the window whose code comes when it is wanted, so that the first panel waits for nothing but its own.

import type { Component } from 'svelte';
import { t } from '$ui/i18n';
import { normaliseError, OperationError } from '$ui/state/error';

/** A component that is fetched once, by whoever wants it first. */
export class Lazy {
  /** Drawn as soon as it is there. */
  component = $state.raw<Component | undefined>(undefined);
  /** Why it did not come: a page that outlived the server it came from. */
  fault = $state.raw<OperationError | null>(null);
  readonly #fetch: () => Promise<{ default: Component }>;
  #coming: Promise<void> | undefined;

  constructor(fetch: () => Promise<{ default: Component }>) {
    this.#fetch = fetch;
  }

  /** Fetches it, unless it is there or on its way; never rejects. */
  load(): Promise<void> {
    this.#coming ??= this.#begin();
    return this.#coming;
  }

  async #begin(): Promise<void> {
    this.fault = null;
    try {
      this.component = (await this.#fetch()).default;
    } catch (thrown) {
      this.fault = new OperationError('unavailable', normaliseError(thrown).message, { hint: t('panel.hint') });
      // The next one who wants it tries again.
      this.#coming = undefined;
    }
  }
}

/** Pause between two parts, so that none of them holds up a key or a frame. */
const PAUSE_MS = 30;

/** Fetches the parts one after the other while nobody waits for them; the returned function ends it. */
export function loadInIdle(parts: readonly Lazy[], pause: (then: () => void) => () => void = later): () => void {
  let stop = (): void => undefined;
  let over = false;
  const next = (index: number): void => {
    const part = parts[index];
    if (part === undefined || over) return;
    stop = pause(() => void part.load().then(() => next(index + 1)));
  };
  next(0);
  return () => {
    over = true;
    stop();
  };
}

// WebKitGTK has no requestIdleCallback.
function later(then: () => void): () => void {
  const timer = setTimeout(then, PAUSE_MS);
  return () => clearTimeout(timer);
}
