// The daemon's HTTP interface on the loopback. The token comes in the fragment of the address (#token=...), which is
// never sent to a server, and is kept for the session only.

import type { LiveBatch, Tag, WorkspaceStatus } from '$ui/generated/model';
import { moved } from './moved';
import type { OpenFileOptions, OperationName, Platform, Reply, Request, SaveFileOptions } from './types';

/** Time between two looks at the workspace, in milliseconds; the daemon pushes nothing. */
const POLL_MS = 2_000;

/** What a look makes stale: everything that may have moved since the last one. */
const POLLED: Tag[] = ['status', 'events', 'incidents', 'blocks', 'jobs', 'health', 'reports', 'audit'];

export interface HttpOptions {
  base: string;
  token: string;
  fetch: typeof fetch;
  /** Asks for a path of the daemon's machine; the browser cannot name one. */
  ask: (question: string, suggestion: string) => string | null;
}

export class HttpPlatform implements Platform {
  readonly kind = 'http';
  readonly #options: HttpOptions;

  constructor(options: HttpOptions) {
    this.#options = options;
  }

  async call<Name extends OperationName>(name: Name, request: Request<Name>, confirmation?: string): Promise<Reply<Name>> {
    const answer = await this.#options.fetch(`${this.#options.base}/api/v1/operations/${name}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${this.#options.token}`,
        'content-type': 'application/json',
        ...(confirmation === undefined ? {} : { 'x-watchpost-confirm': headerText(confirmation) }),
      },
      body: JSON.stringify(request),
    });
    const body: unknown = await answer.json();
    // A failed operation answers with the same error object that the window gets.
    if (!answer.ok) throw body;
    return body as Reply<Name>;
  }

  live(onBatch: (batch: LiveBatch) => void, onError: (reason: unknown) => void): () => void {
    let ended = false;
    let seq = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let previous: WorkspaceStatus | null = null;
    const look = async (): Promise<void> => {
      try {
        const status = await this.call('workspace_status', {});
        if (ended) return;
        const changed: Tag[] = previous === null || moved(previous, status) ? POLLED : ['status', 'jobs', 'health'];
        previous = status;
        seq += 1;
        onBatch({ seq, changed, status, jobs: (await this.call('job_list', {})).runs });
      } catch (reason) {
        if (!ended) onError(reason);
      }
      if (!ended) timer = setTimeout(() => void look(), POLL_MS);
    };
    void look();
    return () => {
      ended = true;
      clearTimeout(timer);
    };
  }

  pickSaveFile(options: SaveFileOptions): Promise<string | null> {
    return Promise.resolve(this.#options.ask(options.title, options.defaultName));
  }

  pickOpenFile(options: OpenFileOptions): Promise<string | null> {
    return Promise.resolve(this.#options.ask(options.title, ''));
  }

  pickFolder(title: string): Promise<string | null> {
    return Promise.resolve(this.#options.ask(title, ''));
  }

  /** A browser has its own address line. */
  links(): () => void {
    return () => undefined;
  }

  /** A browser gives a page the content of a dropped file, never its path. */
  drags(): () => void {
    return () => undefined;
  }

  openWindow(route: string): Promise<void> {
    window.open(`${location.pathname}${location.search}#/${route}`, '_blank', 'noopener');
    return Promise.resolve();
  }

  readonly zoom = null;

  uiReady(): Promise<void> {
    return Promise.resolve();
  }

  async copy(text: string): Promise<void> {
    await navigator.clipboard.writeText(text);
  }
}

/** A header holds printable ASCII only; a name outside it is refused by the daemon, which says so. */
function headerText(text: string): string {
  return /^[ -~]*$/.test(text) ? text : encodeURIComponent(text);
}
