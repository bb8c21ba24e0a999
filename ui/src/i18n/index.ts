// The words on screen. One language today; a second one is another catalogue of the same type.

import { en } from './en';

export type Key = keyof typeof en;

/** Names of the `{holes}` in a text. */
type Holes<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}` ? Name | Holes<Rest> : never;

type Values<K extends Key> = [Holes<(typeof en)[K]>] extends [never] ? [] : [values: Record<Holes<(typeof en)[K]>, string | number>];

/** The text of a key with its holes filled. */
export function t<K extends Key>(key: K, ...values: Values<K>): string {
  const text: string = en[key];
  const [filled] = values as [Record<string, string | number>?];
  if (filled === undefined) return text;
  return text.replace(/\{(\w+)\}/g, (hole, name: string) => {
    const value = filled[name];
    return value === undefined ? hole : String(value);
  });
}

/** The text of a word of the model: `word('status', 'open')`. An unknown word is shown as it is, never hidden. */
export function word(kind: string, value: string): string {
  const key = `${kind}.${value}`;
  return key in en ? en[key as Key] : value;
}
