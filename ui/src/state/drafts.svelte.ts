// What was typed into a form and not saved, while the form is not on screen: who looks something up in another panel, or
// comes back to a locked window, goes on where they were. In memory only, and never a secret.

import { untrack } from 'svelte';
import type { App } from './app.svelte';

/** Forms that are remembered; there are fewer in one workspace. */
const MOST = 32;

export class Drafts {
  readonly #kept = new Map<string, unknown>();

  get(form: string): unknown {
    return this.#kept.get(form);
  }

  /** Nothing is kept of a form that says what is saved. */
  put(form: string, draft: unknown): void {
    this.#kept.delete(form);
    if (draft === null) return;
    this.#kept.set(form, draft);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MOST && oldest !== undefined) this.#kept.delete(oldest);
  }
}

/** What was typed into one form; the values of one workspace mean nothing in another, those of this machine do. Made while the form is made. */
export class FormDraft<T> {
  /** What was left in it. */
  readonly left: T | null;
  readonly #drafts: Drafts;
  readonly #name: string;

  constructor(app: App, form: string, of: 'workspace' | 'machine' = 'workspace') {
    this.#drafts = app.drafts;
    this.#name = `${of === 'machine' ? of : untrack(() => app.live.workspace)} ${form}`;
    this.left = (this.#drafts.get(this.#name) ?? null) as T | null;
  }

  /** From here on what is typed is kept: what `now` says, `null` while it is what is saved. To be called while the form is made. */
  keep(now: () => T | null): void {
    $effect(() => this.#drafts.put(this.#name, $state.snapshot(now())));
  }
}
