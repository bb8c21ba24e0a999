// Lines of Redis health as they are typed: ratios in percent, nothing for no line.

import type { HealthLimit, HealthLimitState, Unit } from '$ui/generated/model';

export interface Row {
  warning: string;
  critical: string;
}

/** What stands behind a field. */
export function unitOf(unit: Unit): string {
  const units: Readonly<Record<Unit, string>> = { ratio: '%', bytes: 'B', milliseconds: 'ms', per_second: '/s', per_minute: '/min', count: '', seconds: 's' };
  return units[unit];
}

function typed(line: number | null, unit: Unit): string {
  if (line === null) return '';
  return String(unit === 'ratio' ? Number((line * 100).toFixed(6)) : line);
}

/** A number of 0 or above; `null` for anything else. */
export function numberOf(text: string): number | null {
  const trimmed = text.trim().replace(',', '.');
  const value = trimmed === '' ? NaN : Number(trimmed);
  return Number.isFinite(value) && value >= 0 ? value : null;
}

/** Can it be a line: a number, or nothing? */
export function isLine(text: string): boolean {
  return text.trim() === '' || numberOf(text) !== null;
}

/** Would it be critical before it is a warning? */
export function isCrossed({ warning, critical }: Row): boolean {
  const [first, second] = [numberOf(warning), numberOf(critical)];
  return first !== null && second !== null && first > second;
}

export function rowsOf(limits: readonly HealthLimitState[]): Row[] {
  return limits.map((limit) => ({ warning: typed(limit.warning, limit.unit), critical: typed(limit.critical, limit.unit) }));
}

/** The limits of all rows, or the first one that is no number. A field that still says what it said keeps its exact line. */
export function limitsOf(limits: readonly HealthLimitState[], rows: readonly Row[]): { limits: HealthLimit[] } | { wrong: HealthLimitState } {
  const result: HealthLimit[] = [];
  for (const [index, limit] of limits.entries()) {
    const row = rows[index];
    if (row === undefined) continue;
    const line = (text: string, before: number | null): number | null | undefined => {
      if (text.trim() === typed(before, limit.unit)) return before;
      if (text.trim() === '') return null;
      const value = numberOf(text);
      if (value === null) return undefined;
      return limit.unit === 'ratio' ? value / 100 : value;
    };
    const warning = line(row.warning, limit.warning);
    const critical = line(row.critical, limit.critical);
    if (warning === undefined || critical === undefined) return { wrong: limit };
    result.push({ metric: limit.metric, warning, critical });
  }
  return { limits: result };
}
