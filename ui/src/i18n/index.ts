// The words on screen. A language is a catalogue with the keys of the English one; it is chosen when the page loads.

import { en } from './en';

export type Key = keyof typeof en;
export const LANGUAGES = ['en', 'de'] as const;
export type Language = (typeof LANGUAGES)[number];

/** Names of the `{holes}` in a text. */
type Holes<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}` ? Name | Holes<Rest> : never;

type Values<K extends Key> = [Holes<(typeof en)[K]>] extends [never] ? [] : [values: Record<Holes<(typeof en)[K]>, string | number>];

const STORED = 'watchpost.language';

/** English unless this machine was told otherwise; texts are read at many places, so another one comes with a new page. */
export const language: Language = LANGUAGES.find((known) => known === localStorage.getItem(STORED)) ?? 'en';
let catalogue: Readonly<Record<string, string>> = en;

/** Fetches the catalogue of the language, unless it is English; to be awaited before the first text is drawn. */
export async function loadLanguage(): Promise<void> {
  if (language === 'de') {
    const { de } = await import('./de');
    // A key that a translation lacks is better in English than not at all.
    catalogue = { ...en, ...de };
  }
}

/** The language of the next page. */
export function storeLanguage(chosen: Language): void {
  localStorage.setItem(STORED, chosen);
}

/** The text of a key with its holes filled; of one thing (`n` is 1) the text `key.one`, where there is one. */
export function t<K extends Key>(key: K, ...values: Values<K>): string {
  const [filled] = values as [Record<string, string | number>?];
  const one = String(filled?.n) === '1' ? catalogue[`${key}.one`] : undefined;
  const text = one ?? catalogue[key] ?? key;
  if (filled === undefined) return text;
  return text.replace(/\{(\w+)\}/g, (hole, name: string) => {
    const value = filled[name];
    return value === undefined ? hole : String(value);
  });
}

/** The text of a word of the model: `word('status', 'open')`. An unknown word is shown as it is, never hidden. */
export function word(kind: string, value: string): string {
  return catalogue[`${kind}.${value}`] ?? value;
}
