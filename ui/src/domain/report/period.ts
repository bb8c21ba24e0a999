// The periods that auditors ask for. All are half-open and in UTC, as the report itself. A period that is not over ends
// at the last full second: a report about the future proves nothing.

import type { Period } from '$ui/generated/model';
import { dayOf } from '$ui/shared/format/time';

const SECOND = 1_000;
const DAY = 86_400_000;

export interface NamedPeriod {
  /** `2026-11`, `2026-Q4`. */
  id: string;
  /** Unix milliseconds. */
  from: number;
  to: number;
  /** It is not over. */
  open: boolean;
}

function named(id: string, from: number, to: number, now: number): NamedPeriod {
  return { id, from, to, open: to > now };
}

/** Months, the present one first. */
export function months(now: number, n: number): NamedPeriod[] {
  const today = new Date(now);
  return Array.from({ length: n }, (_, back) => {
    const begin = new Date(Date.UTC(today.getUTCFullYear(), today.getUTCMonth() - back, 1));
    const end = Date.UTC(begin.getUTCFullYear(), begin.getUTCMonth() + 1, 1);
    return named(begin.toISOString().slice(0, 7), begin.getTime(), end, now);
  });
}

/** Quarters, the present one first. */
export function quarters(now: number, n: number): NamedPeriod[] {
  const today = new Date(now);
  const first = Math.floor(today.getUTCMonth() / 3) * 3;
  return Array.from({ length: n }, (_, back) => {
    const begin = new Date(Date.UTC(today.getUTCFullYear(), first - back * 3, 1));
    const end = Date.UTC(begin.getUTCFullYear(), begin.getUTCMonth() + 3, 1);
    return named(`${begin.getUTCFullYear()}-Q${begin.getUTCMonth() / 3 + 1}`, begin.getTime(), end, now);
  });
}

/** The period for a request: cut at the last full second before `now`. */
export function request(period: { from: number; to: number }, now: number): Period {
  const end = Math.min(period.to, Math.floor(now / SECOND) * SECOND);
  return { from: new Date(period.from).toISOString(), to: new Date(Math.max(end, period.from + SECOND)).toISOString() };
}

/** The last days until now. */
export function lastDays(days: number, now: number): { from: number; to: number } {
  return { from: Math.floor(now / DAY) * DAY - (days - 1) * DAY, to: now };
}

/** First and last day as they are typed, both included; `null` if that is no period. */
export function fromDays(first: string, last: string): { from: number; to: number } | null {
  const [begin, end] = [dayOf(first, 'utc'), dayOf(last, 'utc')];
  if (begin === null || begin === undefined || end === null || end === undefined) return null;
  const from = Date.parse(begin);
  const to = Date.parse(end) + DAY;
  return to <= from ? null : { from, to };
}
