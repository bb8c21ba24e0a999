// The live feed: workspace status, running jobs, and which answers have become stale.

import { tick } from 'svelte';
import type { JobRun, LiveBatch, WorkspaceStatus } from '$ui/generated/model';
import { moved } from '$ui/platform/moved';
import type { Platform } from '$ui/platform/types';
import { normaliseError, type OperationError } from './error';
import type { QueryCache } from './query-cache.svelte';
import { ALL_TAGS } from './tags';

/** The feed speaks at least every few seconds; after this silence we look for ourselves. */
export const SILENCE_MS = 10_000;

export class Live {
  /** `undefined` before the first answer. */
  status = $state.raw<WorkspaceStatus | undefined>(undefined);
  jobs = $state.raw<readonly JobRun[]>([]);
  error = $state.raw<OperationError | null>(null);
  /** When something was last heard from the backend, Unix milliseconds. */
  heardAt = $state<number | null>(null);
  /** Counts the workspaces that were open one after the other: what is drawn of one is not carried over into the next. */
  workspace = $state(0);
  /** The window is locked: nothing but its passphrase is asked for. */
  locked = $state(false);
  readonly #platform: Platform;
  readonly #queries: QueryCache;
  #seq = 0;
  #connection: string | null | undefined = undefined;

  constructor(platform: Platform, queries: QueryCache) {
    this.#platform = platform;
    this.#queries = queries;
  }

  /** Begins to listen; the returned function ends it. */
  start(): () => void {
    const stop = this.#platform.live(
      (batch) => this.#take(batch),
      (reason) => {
        this.error = normaliseError(reason);
      },
    );
    // The feed of the window begins with the same.
    if (this.#platform.kind !== 'tauri') void this.look();
    const watchdog = setInterval(() => {
      if (this.heardAt === null || Date.now() - this.heardAt > SILENCE_MS) void this.look();
    }, SILENCE_MS / 2);
    return () => {
      clearInterval(watchdog);
      stop();
    };
  }

  /** Asks for the status now. */
  async look(): Promise<void> {
    if (this.locked) return;
    try {
      this.#takeStatus(await this.#platform.call('workspace_status', {}));
      // Jobs are a workspace's: without one there is nothing to ask.
      this.jobs = this.status?.connection === null ? [] : (await this.#platform.call('job_list', {})).runs;
    } catch (thrown) {
      this.error = normaliseError(thrown);
    }
  }

  /** The window was locked: what was read is forgotten. */
  lock(): void {
    if (this.locked) return;
    this.locked = true;
    this.jobs = [];
    // When nothing shows it any more, so that nobody asks for it again.
    void tick().then(() => this.#queries.reset());
  }

  /** The window was unlocked: everything is read anew. */
  unlocked(): void {
    if (!this.locked) return;
    this.locked = false;
    this.#queries.invalidate(ALL_TAGS);
    void this.look();
  }

  #take(batch: LiveBatch): void {
    if (batch.locked === true) {
      this.#seq = batch.seq;
      this.heardAt = Date.now();
      this.lock();
      return;
    }
    // Another window was unlocked, and this one with it.
    this.unlocked();
    // A gap means that the shell dropped batches: we cannot know what was in them.
    const gap = this.#seq !== 0 && batch.seq !== this.#seq + 1;
    this.#seq = batch.seq;
    if (this.jobs.length > 0 || batch.jobs.length > 0) this.jobs = batch.jobs;
    // Of another workspace everything is being asked for by now.
    const switched = this.#takeStatus(batch.status);
    if (gap) this.#queries.invalidate(ALL_TAGS);
    else if (!switched && batch.changed.length > 0) this.#queries.invalidate(batch.changed);
  }

  /** True if it is of another workspace than the one before. */
  #takeStatus(status: WorkspaceStatus): boolean {
    const connection = status.connection?.id ?? null;
    const before = this.#connection;
    const switched = before !== undefined && before !== connection;
    this.#connection = connection;
    // What says the same as before is not drawn anew with each beat.
    if (this.status === undefined || moved(this.status, status)) this.status = status;
    this.error = null;
    this.heardAt = Date.now();
    if (!switched) return false;
    this.workspace += 1;
    if (before === null) this.#queries.opened();
    else this.#queries.reset();
    return true;
  }

  /** Name of the connection that is on its way while none is open. */
  get opening(): string | null {
    return this.status?.connection === null ? (this.status.opening ?? null) : null;
  }

  /** The part that does not answer the backend, and when it last did (Unix milliseconds): what is shown is as old as that. */
  get outage(): { part: 'redis' | 'database'; since: number | null } | null {
    for (const part of ['redis', 'database'] as const) {
      const found = this.status?.[part];
      if (found?.state === 'down') return { part, since: found.last_ok === null ? null : new Date(found.last_ok).getTime() };
    }
    return null;
  }

  /** The newest running job, if one runs. */
  get runningJob(): JobRun | undefined {
    return this.jobs.find((job) => job.state === 'running');
  }
}
