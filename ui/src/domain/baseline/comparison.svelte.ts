// Two periods of the archive compared: what was usual in the one, what is otherwise in the other.

import type { BaselineDrift, Period } from '$ui/generated/model';
import type { App } from '$ui/state/app.svelte';
import { normaliseError, type OperationError } from '$ui/state/error';

export const SPANS = ['1', '7', '30'] as const;
export type Span = (typeof SPANS)[number];

const DAY_MS = 86_400_000;

export class Comparison {
  now = $state<Span>('1');
  before = $state<Span>('7');
  busy = $state(false);
  drift = $state.raw<BaselineDrift | null>(null);
  known = $state.raw<{ users: number; endpoints: number } | null>(null);
  fault = $state.raw<OperationError | null>(null);
  readonly #app: App;

  constructor(app: App) {
    this.#app = app;
  }

  async run(at: number): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.fault = null;
    const begin = at - Number(this.now) * DAY_MS;
    const after: Period = { from: new Date(begin).toISOString(), to: new Date(at).toISOString() };
    const usual: Period = { from: new Date(begin - Number(this.before) * DAY_MS).toISOString(), to: after.from };
    try {
      const before = await this.#app.read('baseline_generate', { period: usual });
      this.known = { users: before.users.length, endpoints: before.endpoints.length };
      this.drift = await this.#app.read('baseline_compare', { before, period: after });
    } catch (thrown) {
      this.drift = null;
      this.fault = normaliseError(thrown);
    } finally {
      this.busy = false;
    }
  }
}
