// A change as it is being typed: what it would do is looked up before it can be done.

import { normaliseError, type OperationError } from '$ui/state/error';
import { Work } from '$ui/state/work.svelte';

/** A pause in typing after which the preview is fetched, in milliseconds. */
const PAUSE_MS = 250;

export class PreviewedDraft<Preview> {
  readonly work = new Work();
  looking = $state(false);
  /** Somebody tried to go on: now missing parts are marked. */
  tried = $state(false);
  preview = $state.raw<Preview | null>(null);

  protected reset(): void {
    this.work.reset();
    this.tried = false;
  }

  /** Asks after a pause in typing, the newest question wins; `null` asks nothing. The returned function drops the answer. */
  protected ask(question: (() => Promise<Preview>) | null): () => void {
    this.preview = null;
    this.work.fault = null;
    this.looking = question !== null;
    if (question === null) return () => undefined;
    let outdated = false;
    const look = async (): Promise<void> => {
      try {
        const answer = await question();
        if (!outdated) this.preview = answer;
      } catch (thrown) {
        if (!outdated) this.work.fault = normaliseError(thrown);
      } finally {
        if (!outdated) this.looking = false;
      }
    };
    const timer = setTimeout(() => void look(), PAUSE_MS);
    return () => {
      outdated = true;
      clearTimeout(timer);
    };
  }

  /** Does it; `null` when the person declined or it failed (then `fault` says why). */
  protected attempt<Done>(change: () => Promise<Done | null>): Promise<Done | null> {
    return this.work.run(change);
  }

  get busy(): boolean {
    return this.work.busy;
  }

  get fault(): OperationError | null {
    return this.work.fault;
  }
}
