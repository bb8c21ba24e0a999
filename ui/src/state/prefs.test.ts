import { afterEach, describe, expect, it } from 'vitest';
import { prefs } from './prefs.svelte';

/** What a window hears when another one has written. */
function written(key: string, value: string): void {
  localStorage.setItem(key, value);
  dispatchEvent(new StorageEvent('storage', { key, newValue: value, storageArea: localStorage }));
}

afterEach(() => {
  prefs.theme = 'dark';
  prefs.zone = 'local';
});

describe('what a person likes', () => {
  it('is followed by every window that is open', () => {
    written('watchpost.theme', 'light');
    expect([prefs.theme, document.documentElement.dataset['theme']]).toEqual(['light', 'light']);
    written('watchpost.zone', 'utc');
    expect([prefs.zone, prefs.zoneId]).toEqual(['utc', undefined]);
    written('watchpost.theme', 'pink');
    expect(prefs.theme, 'what is none').toBe('dark');
  });
});
