// Every time on screen goes through here. Dates are written year first, so that nobody has to guess the order.

import { t } from '$ui/i18n';
import type { Zone } from '$ui/state/prefs.svelte';
import { duration } from './number';

export type Precision = 'day' | 'minute' | 'second' | 'millisecond';

interface Parts {
  date: string;
  time: string;
  millis: string;
}

function pad(value: number, width = 2): string {
  return String(value).padStart(width, '0');
}

function parts(at: Date, zone: Zone): Parts {
  return zone === 'utc'
    ? {
        date: `${at.getUTCFullYear()}-${pad(at.getUTCMonth() + 1)}-${pad(at.getUTCDate())}`,
        time: `${pad(at.getUTCHours())}:${pad(at.getUTCMinutes())}:${pad(at.getUTCSeconds())}`,
        millis: pad(at.getUTCMilliseconds(), 3),
      }
    : {
        date: `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}`,
        time: `${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`,
        millis: pad(at.getMilliseconds(), 3),
      };
}

/** `2026-11-20 23:04:05`; text that is no time comes back as it is. */
export function stamp(at: string | number | Date, zone: Zone, precision: Precision = 'second'): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return String(at);
  const { date: day, time, millis } = parts(date, zone);
  switch (precision) {
    case 'day':
      return day;
    case 'minute':
      return `${day} ${time.slice(0, 5)}`;
    case 'second':
      return `${day} ${time}`;
    case 'millisecond':
      return `${day} ${time}.${millis}`;
  }
}

/** A time with the name of its zone, for what is read away from the window's own: a title, a sentence. */
export function zoned(at: string | number | Date, zone: Zone, precision: Precision = 'second'): string {
  return `${stamp(at, zone, precision)} ${offsetName(zone, new Date(at))}`;
}

/** A time as the core writes it into a sentence, `2026-11-20 23:04 UTC`, in the zone of the window, with its name for what is read elsewhere; any other text stays as it is. */
export function toldTime(text: string, zone: Zone, named = false): string {
  const [, day, minute, second] = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d)(:\d\d)? UTC$/.exec(text) ?? [];
  if (day === undefined || minute === undefined) return text;
  const at = new Date(`${day}T${minute}${second ?? ''}Z`);
  if (Number.isNaN(at.getTime())) return text;
  const told = stamp(at, zone, second === undefined ? 'minute' : 'second');
  return named ? `${told} ${offsetName(zone, at)}` : told;
}

/** The short form for an axis or a dense list: `23:04:05` within five minutes, `23:04` within a day, `11-20 23:04` beyond it, `11-20` beyond two months. */
export function axis(at: number, spanSeconds: number, zone: Zone): string {
  const { date, time } = parts(new Date(at), zone);
  if (spanSeconds <= 300) return time;
  if (spanSeconds <= 36 * 3_600) return time.slice(0, 5);
  if (spanSeconds <= 62 * 86_400) return `${date.slice(5)} ${time.slice(0, 5)}`;
  return spanSeconds <= 400 * 86_400 ? date.slice(5) : date.slice(0, 7);
}

const TICK_STEPS_S = [1, 2, 5, 10, 15, 30, 60, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 14_400, 21_600, 43_200, 86_400, 172_800, 604_800, 1_209_600, 2_592_000, 7_776_000, 31_536_000];

/** Round times inside `[from, to]` (Unix milliseconds) for an axis: at most one more than `most`, round in the zone. */
export function niceTicks(from: number, to: number, zone: Zone, most = 8): number[] {
  const span = (to - from) / 1_000;
  const step = (TICK_STEPS_S.find((candidate) => span / candidate <= most) ?? 31_536_000) * 1_000;
  const shift = zone === 'utc' ? 0 : new Date(from).getTimezoneOffset() * 60_000;
  const first = Math.ceil((from - shift) / step) * step + shift;
  const ticks: number[] = [];
  for (let tick = first; tick <= to; tick += step) ticks.push(tick);
  return ticks;
}

/** `23:04:05` today, `11-20 23:04` before: for lists; the title has the full stamp. */
export function listTime(at: string | number, now: number, zone: Zone): string {
  const then = parts(new Date(at), zone);
  return then.date === parts(new Date(now), zone).date ? then.time : `${then.date.slice(5)} ${then.time.slice(0, 5)}`;
}

/** `23:04:05` today, `11-20 23:04:05` before: for lists of events, whose order and distance are seconds. */
export function eventTime(at: string | number, now: number, zone: Zone): string {
  const then = parts(new Date(at), zone);
  return then.date === parts(new Date(now), zone).date ? then.time : `${then.date.slice(5)} ${then.time}`;
}

/** `3 min ago`, `now`. */
export function ago(at: string | number, now: number): string {
  const seconds = Math.floor((now - new Date(at).getTime()) / 1_000);
  if (seconds < 5) return t('time.now');
  return t('time.ago', { time: briefDuration(seconds) });
}

/** Seconds until `at`; 0 when it is past. */
export function secondsUntil(at: string, now: number): number {
  return Math.max(0, (new Date(at).getTime() - now) / 1_000);
}

/** The largest unit only: `3 d`, `12 min`. */
export function briefDuration(seconds: number): string {
  const [first = ''] = duration(seconds).split(/(?<=[a-z]) /);
  return first;
}

/** The name of the zone, as the toggle shows it: `UTC`, `UTC+02:00`, `Local` where both are the same. */
export function zoneName(zone: Zone, at: Date = new Date()): string {
  return zone === 'local' && at.getTimezoneOffset() === 0 ? t('time.local') : offsetName(zone, at);
}

/** How far the zone is from UTC at that time, for what is read elsewhere: `UTC`, `UTC+02:00`. */
export function offsetName(zone: Zone, at: Date): string {
  const minutes = zone === 'utc' ? 0 : -at.getTimezoneOffset();
  if (minutes === 0) return 'UTC';
  const sign = minutes < 0 ? '−' : '+';
  const abs = Math.abs(minutes);
  return `UTC${sign}${pad(Math.floor(abs / 60))}:${pad(abs % 60)}`;
}

/** A stretch of time in the zone, as short as it is clear: `11-22 07:00 – 12:20`, with the year where it is not this one's and seconds where it has some. */
export function between(from: string, to: string, now: number, zone: Zone): string {
  const [begin, end] = [typedTime(from, zone), typedTime(to, zone)];
  const year = stamp(now, zone, 'day').slice(0, 5);
  const short = begin.startsWith(year) && end.startsWith(year) ? 5 : 0;
  return `${begin.slice(short)} – ${end.slice(0, 10) === begin.slice(0, 10) ? end.slice(11) : end.slice(short)}`;
}

/** A time as somebody would type it, `2026-11-20 23:04`, with seconds where it has some; and back, also of a day alone. */
export function typedTime(at: string | Date, zone: Zone): string {
  const whole = stamp(at, zone);
  return whole.endsWith(':00') ? whole.slice(0, -3) : whole;
}

export function fromTyped(text: string, zone: Zone): string | null {
  const [, day, time = '00:00', seconds = ''] = /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d)(:\d\d)?)?$/.exec(text.trim()) ?? [];
  if (day === undefined) return null;
  const date = new Date(`${day}T${time}${seconds}${zone === 'utc' ? 'Z' : ''}`);
  // A 31st of a month that has none is another day.
  return Number.isNaN(date.getTime()) || stamp(date, zone, 'day') !== day ? null : date.toISOString();
}

/** The first instant of a typed day in the zone; `null` for nothing typed, `undefined` for what is no day. */
export function dayOf(text: string, zone: Zone): string | null | undefined {
  const typed = text.trim();
  if (typed === '') return null;
  if (!/^\d{4}-\d{2}-\d{2}$/.test(typed)) return undefined;
  return fromTyped(typed, zone) ?? undefined;
}

/** The day so many days after a typed one; `null` of what is no day. */
export function dayAfter(text: string, days: number): string | null {
  const at = dayOf(text, 'utc');
  return at === null || at === undefined ? null : stamp(new Date(at).getTime() + days * 86_400_000, 'utc', 'day');
}
