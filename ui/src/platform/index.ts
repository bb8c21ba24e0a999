// Which shell are we in? Decided once, before anything is drawn.

import { HttpPlatform } from './http';
import { insideTauri, TauriPlatform } from './tauri';
import type { Platform } from './types';

const TOKEN_KEY = 'watchpost.token';

export async function choosePlatform(): Promise<Platform> {
  if (insideTauri()) return new TauriPlatform();
  if (import.meta.env.DEV && new URLSearchParams(location.search).has('fake')) {
    const { demoPlatform } = await import('./demo/index');
    return demoPlatform();
  }
  return new HttpPlatform({
    base: location.origin,
    token: takeToken(),
    fetch: (input, init) => fetch(input, init),
    ask: (question, suggestion) => prompt(question, suggestion),
  });
}

/** Moves the token from the fragment into the session, so that it is not in the address bar or the history. */
function takeToken(): string {
  const match = /^#token=([\w.~-]+)$/.exec(location.hash);
  if (match?.[1] !== undefined) {
    sessionStorage.setItem(TOKEN_KEY, match[1]);
    history.replaceState(null, '', `${location.pathname}${location.search}#/overview`);
  }
  return sessionStorage.getItem(TOKEN_KEY) ?? '';
}
