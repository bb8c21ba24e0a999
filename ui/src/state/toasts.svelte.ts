// Short messages. One failure of one command with one code is shown once a minute; the rest is counted on it.

import { visibleLines } from '$ui/shared/text/visible';
import type { OperationError } from './error';

const REPEAT_MS = 60_000;
const SHOWN_MAX = 4;
/** A success goes away by itself; a failure stays until it is read. */
const DONE_MS = 5_000;
/** One that offers something stays until it can be read and reached. */
const OFFER_MS = 8_000;

/** What a message offers to do, by its button or its key. */
export interface ToastAction {
  label: string;
  key: string;
  run: () => void;
}

export interface Toast {
  id: number;
  kind: 'done' | 'failed';
  text: string;
  hint: string | null;
  traceId: string | null;
  /** How often it happened. */
  count: number;
  action: ToastAction | null;
}

export class Toasts {
  shown = $state.raw<readonly Toast[]>([]);
  readonly #recent = new Map<string, { id: number; at: number; toast: Toast }>();
  readonly #now: () => number;
  #next = 1;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  done(text: string, action: ToastAction | null = null): void {
    // One key does one thing: what is newest.
    if (action !== null) this.withdraw(action.key);
    const toast = this.#add({ kind: 'done', text, hint: null, traceId: null, action });
    setTimeout(() => this.dismiss(toast.id), action === null ? DONE_MS : OFFER_MS);
  }

  /** Does what the message on screen offers under this key; false if none does. */
  press(key: string): boolean {
    const toast = this.shown.find((one) => one.action?.key === key);
    if (toast === undefined) return false;
    this.take(toast);
    return true;
  }

  /** Does what a message offers, once. */
  take(toast: Toast): void {
    this.dismiss(toast.id);
    toast.action?.run();
  }

  /** Takes away what is offered under a key: it is no longer what the person would mean. */
  withdraw(key: string): void {
    this.shown = this.shown.filter((toast) => toast.action?.key !== key);
  }

  failed(command: string, error: OperationError): void {
    const key = `${command} ${error.code}`;
    const now = this.#now();
    const before = this.#recent.get(key);
    if (before !== undefined && now - before.at < REPEAT_MS) {
      const counted = { ...before.toast, count: before.toast.count + 1 };
      before.toast = counted;
      this.shown = this.shown.map((toast) => (toast.id === counted.id ? counted : toast));
      return;
    }
    const toast = this.#add({ kind: 'failed', text: error.message, hint: error.hint, traceId: error.traceId, action: null });
    this.#recent.set(key, { id: toast.id, at: now, toast });
    for (const [old, value] of this.#recent) if (now - value.at >= REPEAT_MS) this.#recent.delete(old);
  }

  dismiss(id: number): void {
    this.shown = this.shown.filter((toast) => toast.id !== id);
  }

  #add(content: Omit<Toast, 'id' | 'count'>): Toast {
    // What was done may name what an attacker wrote.
    const toast = { ...content, text: visibleLines(content.text), id: this.#next, count: 1 };
    this.#next += 1;
    this.shown = [...this.shown, toast].slice(-SHOWN_MAX);
    return toast;
  }
}
