// The desktop window. The only file that imports @tauri-apps.

import { Channel, invoke, isTauri } from '@tauri-apps/api/core';
import { getCurrentWebview } from '@tauri-apps/api/webview';
import { open, save } from '@tauri-apps/plugin-dialog';
import type { LiveBatch } from '$ui/generated/model';
import type { FileDrag, OpenFileOptions, OperationName, Platform, Reply, Request, SaveFileOptions } from './types';

export function insideTauri(): boolean {
  return isTauri();
}

export class TauriPlatform implements Platform {
  readonly kind = 'tauri';
  /** Look for a link that came while the window was locked. */
  readonly #unlocked = new Set<() => void>();

  async call<Name extends OperationName>(name: Name, request: Request<Name>, confirmation?: string): Promise<Reply<Name>> {
    const reply = await invoke<Reply<Name>>(name, { req: request, confirm: confirmation ?? null });
    if (name === 'window_unlock') for (const look of this.#unlocked) look();
    return reply;
  }

  live(onBatch: (batch: LiveBatch) => void, onError: (reason: unknown) => void): () => void {
    let ended = false;
    const channel = new Channel<LiveBatch>();
    channel.onmessage = (batch) => {
      if (!ended) onBatch(batch);
    };
    invoke('live_subscribe', { channel }).catch((reason: unknown) => {
      if (!ended) onError(reason);
    });
    return () => {
      ended = true;
    };
  }

  pickSaveFile(options: SaveFileOptions): Promise<string | null> {
    return save({ title: options.title, defaultPath: options.defaultName, filters: options.types ?? [] });
  }

  pickOpenFile(options: OpenFileOptions): Promise<string | null> {
    return open({ title: options.title, multiple: false, directory: false, filters: options.types ?? [] });
  }

  pickFolder(title: string): Promise<string | null> {
    return open({ title, multiple: false, directory: true });
  }

  links(onRoute: (route: string) => void, onError: (reason: unknown) => void): () => void {
    let ended = false;
    // The route waits in the shell, so that one that came before the page is not lost.
    const look = async (): Promise<void> => {
      const route = await invoke<string | null>('link_pending');
      if (route !== null && !ended) onRoute(route);
    };
    const failed = (reason: unknown): void => {
      if (!ended) onError(reason);
    };
    const again = (): void => void look().catch(failed);
    this.#unlocked.add(again);
    const heard = getCurrentWebview().listen('link', again);
    heard.then(look).catch(failed);
    return () => {
      ended = true;
      this.#unlocked.delete(again);
      heard.then((stop) => stop()).catch(failed);
    };
  }

  drags(onDrag: (drag: FileDrag) => void, onError: (reason: unknown) => void): () => void {
    let ended = false;
    const failed = (reason: unknown): void => {
      if (!ended) onError(reason);
    };
    const heard = getCurrentWebview().onDragDropEvent(({ payload }) => {
      if (ended) return;
      if (payload.type === 'enter') onDrag({ kind: 'over', paths: payload.paths });
      else if (payload.type === 'drop') onDrag({ kind: 'dropped', paths: payload.paths });
      else if (payload.type === 'leave') onDrag({ kind: 'left' });
    });
    heard.catch(failed);
    return () => {
      ended = true;
      heard.then((stop) => stop()).catch(failed);
    };
  }

  async openWindow(route: string): Promise<void> {
    await invoke('open_window', { route });
  }

  readonly zoom = (factor: number): Promise<void> => getCurrentWebview().setZoom(factor);

  async uiReady(words: Readonly<Record<string, string>>): Promise<void> {
    await invoke('desk_words', { texts: words });
    await invoke('ui_ready');
  }

  async copy(text: string): Promise<void> {
    await navigator.clipboard.writeText(text);
  }
}
