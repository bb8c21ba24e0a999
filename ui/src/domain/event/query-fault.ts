// What is wrong with a query, in the language of the window.

import type { QueryFault } from '$ui/generated/model';
import { t } from '$ui/i18n';
import { en } from '$ui/i18n/en';
import { count } from '$ui/shared/format/number';

/** Longest word of a query that is repeated in the sentence about it; it stands marked beside. */
const TEXT_MAX = 80;

/** The name of the field that a fault is about, as it was typed: a field has several names. */
function typedField(query: readonly string[], at: number): string | undefined {
  return /([\w.@-]+):(?:[<>=]*|\([^()]*)$/.exec(query.slice(0, at).join(''))?.[1]?.replace(/^-/, '');
}

/** `query` are the characters of what was typed, in which a fault counts. */
export function faultText({ problem, at }: Pick<QueryFault, 'problem' | 'at'>, query: readonly string[] = []): string {
  const { field: name, text, sign, most } = { field: '', text: '', sign: '', most: 0, ...problem };
  const field = name === '' ? '' : (typedField(query, at) ?? name);
  return t(`search.fault.${problem.kind}`, { field, text: text.slice(0, TEXT_MAX), sign, most: count(most) });
}

/** What could stand there, where that is told in words; `null` of what is an example as it would be typed. */
export function expectedText(expected: string): string | null {
  const key = EXPECTED.find((known) => en[known] === expected);
  return key === undefined ? null : t(key);
}

const EXPECTED = (Object.keys(en) as (keyof typeof en)[]).filter((key): key is Extract<keyof typeof en, `search.expects.${string}`> => key.startsWith('search.expects.'));
