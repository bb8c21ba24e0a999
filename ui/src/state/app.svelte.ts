// The one object that components reach the backend through: queries, changes, live state, messages.

import { getContext, setContext, untrack } from 'svelte';
import { operations } from '$ui/generated/operations';
import { visible } from '$ui/shared/text/visible';
import { t } from '$ui/i18n';
import type { OperationName, Platform, Reply, Request } from '$ui/platform/types';
import { Confirmations } from './confirm.svelte';
import { Drafts } from './drafts.svelte';
import { normaliseError, OperationError } from './error';
import { Live } from './live.svelte';
import { QueryCache, type QueryEntry } from './query-cache.svelte';
import { ALL_TAGS } from './tags';
import { Toasts } from './toasts.svelte';

const KEY = Symbol('watchpost app');

export interface ChangeOptions {
  /** For the production confirmation: `Block 203.0.113.7`. */
  what: string;
  /** Shown as a toast when it is done. */
  done?: string;
  /** The caller shows the error itself (a form); no toast. */
  quiet?: boolean;
}

export class App {
  readonly platform: Platform;
  readonly queries: QueryCache;
  readonly live: Live;
  readonly toasts = new Toasts();
  readonly confirmations = new Confirmations();
  readonly drafts = new Drafts();
  /** How often everything was asked for again: what is no kept answer follows it. */
  refreshes = $state(0);

  constructor(platform: Platform) {
    this.platform = platform;
    this.queries = new QueryCache(platform);
    this.live = new Live(platform, this.queries);
  }

  /** May the person do this operation? Unknown before the first status: then the backend decides. */
  may(name: OperationName): boolean {
    const role = this.live.status?.caller.role;
    return role === undefined || PERMISSIONS[role].includes(operations[name].permission);
  }

  /** Asks for everything again that is shown. */
  refresh(): void {
    this.refreshes += 1;
    this.queries.invalidate(ALL_TAGS);
    void this.live.look();
  }

  /** Runs a read once, outside the cache. Throws `OperationError`. */
  async read<Name extends OperationName>(name: Name, request: Request<Name>): Promise<Reply<Name>> {
    try {
      return await this.platform.call(name, request);
    } catch (thrown) {
      throw normaliseError(thrown);
    }
  }

  /** Opens a place in a window of its own. */
  async openWindow(route: string): Promise<void> {
    try {
      await this.platform.openWindow(route);
    } catch (thrown) {
      this.toasts.failed('open_window', normaliseError(thrown));
    }
  }

  /** Locks the window, if it has a passphrase. */
  async lock(): Promise<void> {
    try {
      await this.platform.call('window_lock_now', {});
      this.live.lock();
    } catch (thrown) {
      this.toasts.failed('window_lock_now', normaliseError(thrown));
    }
  }

  /** Puts a text on the clipboard and says whether it is there. */
  async copy(text: string): Promise<void> {
    try {
      await this.platform.copy(text);
      this.toasts.done(t('action.copied'));
    } catch (thrown) {
      this.toasts.failed('copy', normaliseError(thrown));
    }
  }

  /** What the core says that the change touches; asked so, it refuses to make it. */
  async #measured<Name extends OperationName>(name: Name, request: Request<Name>): Promise<string | null> {
    try {
      await this.platform.call(name, request, ONLY_ASKS);
    } catch (thrown) {
      const error = normaliseError(thrown);
      return error.field === 'confirmation' ? error.message : null;
    }
    return null;
  }

  /**
   * Runs a change: asks for confirmation on a production connection, refreshes what it made stale, reports.
   *
   * Returns `null` when the person declined or, unless `quiet`, when it failed (a toast says so).
   * Throws `OperationError` when it failed and `quiet` is set.
   */
  async change<Name extends OperationName>(
    name: Name,
    request: Request<Name>,
    options: ChangeOptions,
  ): Promise<Reply<Name> | null> {
    const spec = operations[name];
    const connection = this.live.status?.connection;
    let confirmation: string | undefined;
    // What only tries changes nothing that somebody would have to confirm.
    const tries = Object.entries(request).some(([member, value]) => member === spec.check_if && value === true);
    if (spec.effect === 'change' && !tries && connection?.production === true) {
      const measured = MEASURED.has(name) ? await this.#measured(name, request) : null;
      if (!(await this.confirmations.ask(visible(options.what), connection.name, measured))) return null;
      confirmation = connection.name;
    }
    try {
      const reply = await this.platform.call(name, request, confirmation);
      this.queries.invalidate(spec.invalidates);
      if (options.done !== undefined) this.toasts.done(options.done);
      return reply;
    } catch (thrown) {
      const error = normaliseError(thrown);
      // Somebody else was faster: show what is true now.
      if (error.code === 'conflict') this.queries.invalidate(spec.invalidates);
      if (options.quiet === true) throw error;
      this.toasts.failed(name, error);
      return null;
    }
  }
}

/** In the place of a confirmation: the core tells what there is to confirm, and does nothing on any connection. */
const ONLY_ASKS = '?';
/** Changes of which the core says what they touch, such as the share of the keys, where it asks for the confirmation. */
const MEASURED: ReadonlySet<OperationName> = new Set<OperationName>(['retention_run', 'cleanup_run', 'optimize_run', 'restore_run', 'benchmark_run']);

const PERMISSIONS: Record<'viewer' | 'analyst' | 'lead' | 'auditor' | 'admin', readonly string[]> = {
  viewer: ['view'],
  analyst: ['view', 'triage', 'contain'],
  lead: ['view', 'triage', 'contain', 'maintain', 'report', 'audit'],
  auditor: ['view', 'report', 'audit'],
  admin: ['view', 'triage', 'contain', 'maintain', 'report', 'audit', 'admin'],
};

export function provideApp(app: App): void {
  setContext(KEY, app);
}

/** The context of a component that is mounted alone, as tests do. */
export function appContext(app: App): Map<symbol, App> {
  return new Map([[KEY, app]]);
}

export function useApp(): App {
  const app = getContext<App | undefined>(KEY);
  if (app === undefined) throw new OperationError('internal', 'useApp outside of the application');
  return app;
}

/** What a component sees of a query. */
export interface QueryView<Name extends OperationName> {
  /** The newest answer; while a changed request is on its way, the answer to the one before. */
  readonly data: Reply<Name> | undefined;
  readonly error: OperationError | null;
  /** Nothing to show yet and no failure. */
  readonly loading: boolean;
  /** `data` answers an older request. */
  readonly outdated: boolean;
  readonly fetching: boolean;
  readonly updatedAt: number | null;
  refetch(): void;
}

/**
 * Shows a read operation for as long as the component lives; a `null` request asks nothing.
 *
 * To be called while the component is set up; `request` may read reactive state.
 */
export function useQuery<Name extends OperationName>(name: Name, request: () => Request<Name> | null): QueryView<Name> {
  const app = useApp();
  const key = $derived(JSON.stringify(request()));
  let entry = $state.raw<QueryEntry<Name> | null>(null);
  let previous = $state.raw<Reply<Name> | undefined>(undefined);
  let place = app.live.workspace;
  $effect.pre(() => {
    const asked = JSON.parse(key) as Request<Name> | null;
    const { workspace } = app.live;
    return untrack(() => {
      // What was true of another workspace is no answer to be going on with.
      previous = asked === null || workspace !== place ? undefined : (entry?.data ?? previous);
      place = workspace;
      entry = asked === null ? null : app.queries.entry(name, asked);
      return entry === null ? undefined : app.queries.watch(entry);
    });
  });
  return {
    get data() {
      return entry?.data ?? previous;
    },
    get error() {
      return entry?.error ?? null;
    },
    get loading() {
      return entry !== null && entry.data === undefined && previous === undefined && entry.error === null;
    },
    get outdated() {
      return entry !== null && entry.data === undefined && previous !== undefined;
    },
    get fetching() {
      return entry?.fetching ?? false;
    },
    get updatedAt() {
      return entry?.updatedAt ?? null;
    },
    refetch() {
      void entry?.fetch();
    },
  };
}
