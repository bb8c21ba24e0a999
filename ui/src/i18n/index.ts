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

/** As `word`, but what is unknown comes back raw: for who shows it as what an attacker may have written. */
export function said(kind: string, value: string): string {
  return catalogue[`${kind}.${value}`] ?? value;
}

/** The title of what the backend names and titles, a figure or a metric; in its own words where the catalogue has none. */
export function titled(kind: string, thing: { name: string; title: string }): string {
  return catalogue[`${kind}.${thing.name}`] ?? visibleLines(thing.title);
}

/** The forms of English sentences whose keys begin so, with what stands in each hole. */
const forms = new Map<string, readonly (readonly [key: string, form: RegExp])[]>();

function formsOf(beginning: string): readonly (readonly [key: string, form: RegExp])[] {
  const known = forms.get(beginning);
  if (known !== undefined) return known;
  const made = Object.entries(en)
    .filter(([key]) => key.startsWith(`${beginning}.`))
    .map(([key, text]) => {
      const literal = text.replace(/[.*+?^$()|[\]\\]/g, String.raw`\$&`);
      return [key, new RegExp(`^${literal.replace(/\{(\w+)\}/g, '(?<$1>.*?)')}$`, 's')] as const;
    });
  forms.set(beginning, made);
  return made;
}

/**
 * A sentence that the core wrote in English, in the language of the window: of the catalogue's forms below `beginning` the
 * first that fits, with the same values; `inner` says some of them in their own words. Any other text stays as it is.
 */
export function spoken(beginning: string, text: string, inner: Readonly<Record<string, (value: string) => string>> = {}): string {
  for (const [key, pattern] of formsOf(beginning)) {
    const found = pattern.exec(text);
    if (found === null) continue;
    const values = Object.entries(found.groups ?? {}).map(([name, value]) => [name, inner[name]?.(value) ?? value] as const);
    return (t as (key: string, values: Record<string, string>) => string)(key, Object.fromEntries(values));
  }
  return text;
}
