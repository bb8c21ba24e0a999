// Two periods of the archive compared: what was usual in the one, what is otherwise in the other.

import type { BaselineDrift, Period } from '$ui/generated/model';
import type { App } from '$ui/state/app.svelte';
import { Work } from '$ui/state/work.svelte';

export const SPANS = ['1', '7', '30'] as const;
export type Span = (typeof SPANS)[number];

const DAY_MS = 86_400_000;

const kept = new WeakMap<App, { workspace: number; comparison: Comparison }>();

/** The one of this window and workspace: it takes a while, and who looks elsewhere meanwhile finds it done. */
export function comparisonOf(app: App): Comparison {
  const { workspace } = app.live;
  const before = kept.get(app);
  if (before?.workspace === workspace) return before.comparison;
  const comparison = new Comparison(app);
  kept.set(app, { workspace, comparison });
  return comparison;
}

export class Comparison {
  now = $state<Span>('1');
  before = $state<Span>('7');
  readonly work = new Work();
  drift = $state.raw<BaselineDrift | null>(null);
  known = $state.raw<{ users: number; endpoints: number } | null>(null);
  readonly #app: App;

  constructor(app: App) {
    this.#app = app;
  }

  async run(at: number): Promise<void> {
    const begin = at - Number(this.now) * DAY_MS;
    const after: Period = { from: new Date(begin).toISOString(), to: new Date(at).toISOString() };
    const usual: Period = { from: new Date(begin - Number(this.before) * DAY_MS).toISOString(), to: after.from };
    await this.work.run(async () => {
      const before = await this.#app.read('baseline_generate', { period: usual });
      this.known = { users: before.users.length, endpoints: before.endpoints.length };
      this.drift = await this.#app.read('baseline_compare', { before, period: after });
    });
    if (this.work.fault !== null) this.drift = null;
  }
}
