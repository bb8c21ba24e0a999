// The seam between the user interface and the shell it runs in. Three shells stand behind it: the desktop window
// (tauri.ts), the daemon's HTTP interface (http.ts) and a double for tests (fake.ts).

import type { LiveBatch } from '$ui/generated/model';
import type { OperationName, Operations } from '$ui/generated/operations';

export type { OperationName, Operations };
export type Request<Name extends OperationName> = Operations[Name]['request'];
export type Reply<Name extends OperationName> = Operations[Name]['reply'];

export interface FileType {
  /** For people: `PDF document`. */
  name: string;
  /** Without the dot: `pdf`. */
  extensions: string[];
}

export interface SaveFileOptions {
  title: string;
  /** Suggested file name, with extension. */
  defaultName: string;
  types?: FileType[];
}

export interface OpenFileOptions {
  title: string;
  types?: FileType[];
}

/** Files that a person drags over the window: from the file manager, with their paths. */
export type FileDrag = { kind: 'over'; paths: readonly string[] } | { kind: 'left' } | { kind: 'dropped'; paths: readonly string[] };

export interface Platform {
  /** Which shell this is. */
  readonly kind: 'tauri' | 'http' | 'fake';

  /**
   * Runs an operation. Rejects with whatever the shell throws; `state/error.ts` makes sense of it.
   * `confirmation` is what the person typed before a change in production: the name of the connection.
   */
  call<Name extends OperationName>(name: Name, request: Request<Name>, confirmation?: string): Promise<Reply<Name>>;

  /** Starts the live feed; the returned function ends it. `onError` hears of a feed that cannot be reached. */
  live(onBatch: (batch: LiveBatch) => void, onError: (reason: unknown) => void): () => void;

  /** Asks where to write; `null` when the person changed their mind. The file itself is written by an operation. */
  pickSaveFile(options: SaveFileOptions): Promise<string | null>;
  pickOpenFile(options: OpenFileOptions): Promise<string | null>;
  pickFolder(title: string): Promise<string | null>;

  /** Hears of links from outside (`watchpost://incident/42`) as routes (`incidents/42`); the returned function ends it. `onError` hears of one that was lost. */
  links(onRoute: (route: string) => void, onError: (reason: unknown) => void): () => void;

  /** Hears of files that are dragged over the window; the returned function ends it. A browser tells no paths: nothing is heard there. */
  drags(onDrag: (drag: FileDrag) => void, onError: (reason: unknown) => void): () => void;

  /** Opens a place (`incidents/42?view=full`) in a window of its own. */
  openWindow(route: string): Promise<void>;

  /** Draws the window larger or smaller, 1 being as it is; `null` where the browser does that by keys of its own. */
  readonly zoom: ((factor: number) => Promise<void>) | null;

  /** Tells the shell that the first figures are drawn, and the words that it shows outside of the window, by their keys. */
  uiReady(words: Readonly<Record<string, string>>): Promise<void>;

  copy(text: string): Promise<void>;
}
