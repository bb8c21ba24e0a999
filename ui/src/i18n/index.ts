// The words on screen. A language is a catalogue with the keys of the English one; it is chosen when the page loads.

import { visibleLines } from '$ui/shared/text/visible';
import { en } from './en';

export type Key = keyof typeof en;
export const LANGUAGES = ['en', 'de'] as const;
export type Language = (typeof LANGUAGES)[number];

/** Names of the `{holes}` in a text; of one with forms, `{n|record|records}`, what stands before them. */
type Holes<Text extends string> = Text extends `${string}{${infer Hole}}${infer Rest}` ? (Hole extends `${infer Name}|${string}` ? Name : Hole) | Holes<Rest> : never;

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

/** Each in its own words, so that who cannot read the others finds it. */
export const LANGUAGE_NAMES: Readonly<Record<Language, string>> = { en: 'English', de: 'Deutsch' };

/** The language of the next page. */
export function storeLanguage(chosen: Language): void {
  localStorage.setItem(STORED, chosen);
}

/** Goes on in another language; texts are read at many places, so it comes with a new page. */
export function speak(chosen: Language): void {
  storeLanguage(chosen);
  location.reload();
}

const locale = language === 'de' ? 'de-DE' : 'en-US';
const plural = new Intl.PluralRules(locale);
/** The forms that the language has, in the order in which a text gives them: of English and German one, then others. */
const FORMS = (['zero', 'one', 'two', 'few', 'many', 'other'] as const).filter((form) => plural.resolvedOptions().pluralCategories.includes(form));
const [GROUP = ','] = new Intl.NumberFormat(locale).formatToParts(11_111).flatMap((part) => (part.type === 'group' ? [part.value] : []));

function shown(value: string | number): string {
  const text = String(value);
  return /^[ -~]*$/.test(text) ? text : visibleLines(text);
}

/** How many a value means, however it was written; `NaN` of what is no whole number. */
function quantity(value: string | number): number {
  if (typeof value === 'number') return value;
  const digits = value.replaceAll(GROUP, '');
  return /^\d+$/.test(digits) ? Number(digits) : Number.NaN;
}

/** The form for a number: of `record|records` the first for one and the second for all others. */
function form(forms: readonly string[], value: string | number): string {
  const n = quantity(value);
  // What is abbreviated or has decimals is never one.
  const wanted = Number.isNaN(n) ? 'other' : plural.select(n);
  return (forms[FORMS.indexOf(wanted)] ?? forms.at(-1) ?? '').replaceAll('#', String(value));
}

/**
 * The text of a key with its holes filled: `{n}` by its value, `{n|record|records}` by the form that goes with it.
 *
 * In a form `#` stands for the value: `{n|once|# times}`. A number is given as it is shown, or as it is.
 */
export function t<K extends Key>(key: K, ...values: Values<K>): string {
  const [filled] = values as [Record<string, string | number>?];
  const text = catalogue[key] ?? key;
  if (filled === undefined) return text;
  return text.replace(/\{(\w+)(?:\|([^{}]*))?\}/g, (hole, name: string, forms: string | undefined) => {
    const value = filled[name];
    if (value === undefined) return hole;
    // What fills a hole may be what an attacker wrote: a name, a path, a title.
    return forms === undefined ? shown(value) : form(forms.split('|'), value);
  });
}

/** The texts whose keys begin like this, as they stand in the catalogue: for who fills their holes elsewhere. */
export function textsOf(...beginnings: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(catalogue).filter(([key]) => beginnings.some((beginning) => key.startsWith(beginning))));
}

/** The text of a word of the model: `word('status', 'open')`. An unknown word is shown as it is, never hidden. */
export function word(kind: string, value: string): string {
  return catalogue[`${kind}.${value}`] ?? visibleLines(value);
}

/** The title of what the backend names and titles, a figure or a metric; in its own words where the catalogue has none. */
export function titled(kind: string, thing: { name: string; title: string }): string {
  return catalogue[`${kind}.${thing.name}`] ?? visibleLines(thing.title);
}
