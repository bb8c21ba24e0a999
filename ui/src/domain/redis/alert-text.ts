// What an alert on Redis says, in the language of the window. The console writes it in English, in a sentence of fixed shape
// (see `told` in watchpost_model::health_alert); a text of another shape stays as it is.

import { t, titled } from '$ui/i18n';
import { en } from '$ui/i18n/en';
import { LOCALE, PERCENT } from '$ui/shared/format/number';

const SHIPPED: Readonly<Record<string, string>> = en;
const TOLD = /^(?<what>.*?) \((?<level>warning|critical)(?: from (?<line>.+?)|: (?<basis>.*))\) since (?<time>\d\d:\d\d) UTC$/s;
const ENDED = /^(?<what>.*) since (?<time>\d\d:\d\d) UTC: below its lines again$/s;

/** `43.607/min` of `43,607/min`. */
function number(text: string): string {
  const [, digits, unit = ''] = /^([\d,]+(?:\.\d+)?)(.*)$/s.exec(text) ?? [];
  if (digits === undefined) return text === 'n/a' ? t('value.unknown') : text;
  const decimals = digits.split('.')[1]?.length ?? 0;
  return Number(digits.replaceAll(',', '')).toLocaleString(LOCALE, { minimumFractionDigits: decimals, maximumFractionDigits: decimals }) + unit.replace(/^ ?%/, PERCENT);
}

/** The measure with its value: `Slow commands 43,607/min`. */
function subject(text: string): string {
  const used = /^used memory (.*) of maxmemory$/.exec(text)?.[1];
  if (used !== undefined) return t('redis.alert.used', { value: number(used) });
  const resident = /^resident memory (.*) of the machine's memory$/.exec(text)?.[1];
  if (resident !== undefined) return t('redis.alert.resident', { value: number(resident) });
  const key = Object.keys(SHIPPED).find((known) => known.startsWith('metric.') && text.startsWith(`${SHIPPED[known] ?? ''} `) && /^(?:[\d,.]+(?: ?[^\s\d]+)?|n\/a)$/.test(text.slice((SHIPPED[known] ?? '').length + 1)));
  if (key === undefined) return text;
  const title = SHIPPED[key] ?? '';
  return `${titled('metric', { name: key.slice('metric.'.length), title })} ${number(text.slice(title.length + 1))}`;
}

export function alertText(text: string): string {
  const ended = ENDED.exec(text)?.groups;
  if (ended !== undefined) return t('redis.alert.ended', { what: subject(ended['what'] ?? ''), time: ended['time'] ?? '' });
  const told = TOLD.exec(text)?.groups;
  if (told === undefined) return text;
  const level = told['level'];
  const line = told['line'];
  const values = { what: subject(told['what'] ?? ''), level: t(level === 'critical' ? 'redis.chart.critical' : 'redis.chart.warning'), time: told['time'] ?? '' };
  if (line === undefined) return t('redis.alert.basis', { ...values, basis: told['basis'] ?? '' });
  return line === 'the first one on' ? t('redis.alert.first', values) : t('redis.alert.line', { ...values, line: number(line) });
}
