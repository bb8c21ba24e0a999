// Every number on screen goes through here.

import type { KpiChange, Unit } from '$ui/generated/model';
import { language, t } from '$ui/i18n';

/** Of the language of the window. */
export const LOCALE = language === 'de' ? 'de-DE' : 'en-US';
const plain = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0 });
const fine = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 2 });
const coarse = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 1 });
const one = new Intl.NumberFormat(LOCALE, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const compact = new Intl.NumberFormat(LOCALE, { notation: 'compact', maximumFractionDigits: 1 });

/** What stands for a value that is not known. Never a zero. */
export function unknown(): string {
  return t('value.unknown');
}

/** `12,345`. */
export function count(value: number): string {
  return plain.format(value);
}

/** `64.5`: scores and points, which are known no finer. */
export function tenths(value: number): string {
  return one.format(value);
}

/** `12.3K`: for axes and narrow places; the full number belongs in the title. */
export function short(value: number): string {
  return Math.abs(value) < 10_000 ? fine.format(value) : compact.format(value);
}

/** `950`, `1.2k`, `34k`, `5M`: at most four characters, for marks on a map; the full number belongs in the title. */
export function tiny(value: number): string {
  const scaled = value < 999.5 ? { n: value, unit: '' } : value < 999_500 ? { n: value / 1_000, unit: 'k' } : { n: value / 1_000_000, unit: 'M' };
  return `${scaled.unit !== '' && scaled.n < 9.95 ? fine.format(Math.round(scaled.n * 10) / 10) : plain.format(scaled.n)}${scaled.unit}`;
}

/** `1.5 MiB`; binary units. */
export function bytes(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let size = value;
  let step = 0;
  while (Math.abs(size) >= 1024 && step < units.length - 1) {
    size /= 1024;
    step += 1;
  }
  return `${step === 0 ? plain.format(size) : one.format(size)} ${units[step] ?? ''}`;
}

/** The sign as the language sets it behind a number: of German after a space at which no line ends. */
export const PERCENT = language === 'de' ? '\u00A0%' : '%';

/** `45.3%` of a ratio from 0 to 1, in German `45,3 %`. */
export function percent(ratio: number): string {
  return `${one.format(ratio * 100)}${PERCENT}`;
}

/** The share of `whole` that `part` is: 100% only of all of it, and 0% only of nothing. */
export function partOf(part: number, whole: number): string {
  const ratio = part / whole;
  return percent(part <= 0 || part >= whole ? ratio : Math.min(Math.max(ratio, 0.001), 0.999));
}

/** `48 MiB` of `48.0 MiB`, `100%` of `100.0%`: of what is whole. */
export function whole(text: string): string {
  return text.replace(/[.,]0(?=[\s%]|$)/, '');
}

/** `3 d 4 h`, `12 min`, `45 s`: the two largest units. */
export function duration(seconds: number): string {
  const sign = seconds < 0 ? '−' : '';
  const all = Math.abs(seconds);
  if (all > 0 && all < 1) return `${sign}${fine.format(all * 1000)} ms`;
  if (all < 60) return `${sign}${Math.floor(all)} s`;
  const parts: [number, string][] = [
    [Math.floor(all / 86_400), 'd'],
    [Math.floor(all / 3_600) % 24, 'h'],
    [Math.floor(all / 60) % 60, 'min'],
  ];
  const first = parts.findIndex(([n]) => n > 0);
  const shown = parts.slice(first, first + 2).filter(([n]) => n > 0);
  return sign + shown.map(([n, unit]) => `${n} ${unit}`).join(' ');
}

/** `8,258`, `15.3`, `1.92`: what is measured is read to three figures. */
function measured(value: number): string {
  const size = Math.abs(value);
  return (size >= 99.95 ? plain : size >= 9.995 ? coarse : fine).format(value);
}

/** A value in its unit; `null` is "n/a". */
export function withUnit(value: number | null, unit: Unit): string {
  if (value === null || !Number.isFinite(value)) return unknown();
  switch (unit) {
    case 'ratio':
      return percent(value);
    case 'bytes':
      return bytes(value);
    case 'milliseconds':
      // A server takes microseconds for a command.
      return value !== 0 && Math.abs(value) < 0.1 ? `${measured(value * 1_000)} µs` : `${measured(value)} ms`;
    case 'per_second':
      return `${measured(value)}/s`;
    case 'per_minute':
      return `${measured(value)}/min`;
    case 'count':
      return Number.isInteger(value) ? plain.format(value) : measured(value);
    case 'seconds':
      return duration(value);
  }
}

/** Rounded already, as reports print it. */
const signed = new Intl.NumberFormat(LOCALE, { minimumFractionDigits: 1, maximumFractionDigits: 1, signDisplay: 'always' });

/** A change as `+12.0%`, from tenfold on as `×20`; `null` where there was nothing to compare with. */
export function change(of: KpiChange | null): string | null {
  if (of === null) return null;
  if (of.unit === 'times') return of.by > 999 ? '>×999' : `×${plain.format(of.by)}`;
  return `${signed.format(of.by)}${PERCENT}`.replace('-', '−');
}

/** A whole number as typed, within limits; `null` otherwise. */
export function wholeNumber(typed: string, from: number, to: number): number | null {
  const text = typed.trim();
  if (!/^\d{1,12}$/.test(text)) return null;
  const value = Number(text);
  return value < from || value > to ? null : value;
}

/** What is wrong with a whole number as it is typed, in words; `null` if it is one within the limits. */
export function numberFault(typed: string, from: number, to: number): string | null {
  return wholeNumber(typed, from, to) === null ? t('field.range', { min: count(from), max: count(to) }) : null;
}
