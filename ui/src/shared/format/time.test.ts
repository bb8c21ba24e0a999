import { describe, expect, it } from 'vitest';
import { ago, axis, between, briefDuration, dayAfter, dayOf, eventTime, fromTyped, listTime, niceTicks, offsetName, secondsUntil, stamp, typedTime, zoned, zoneName } from './time';

const AT = '2026-11-20T23:04:05.678Z';

describe('times', () => {
  it.each([
    ['day', '2026-11-20'],
    ['minute', '2026-11-20 23:04'],
    ['second', '2026-11-20 23:04:05'],
    ['millisecond', '2026-11-20 23:04:05.678'],
  ] as const)('a stamp to the %s', (precision, expected) => expect(stamp(AT, 'utc', precision)).toBe(expected));

  it('says the zone of a time that is read elsewhere', () => {
    expect(zoned(AT, 'utc', 'minute')).toBe('2026-11-20 23:04 UTC');
    expect(zoned(AT, 'local')).toBe(`${stamp(AT, 'local')} ${offsetName('local', new Date(AT))}`);
  });

  it('shows the local time as the machine has it', () => {
    const date = new Date(AT);
    expect(stamp(AT, 'local')).toContain(`${String(date.getHours()).padStart(2, '0')}:04:05`);
  });

  it('shows text that is no time as it is', () => {
    expect(stamp('yesterday', 'utc')).toBe('yesterday');
  });

  it('counts the seconds that are left, and none when it is past', () => {
    const now = new Date(AT).getTime();
    expect(secondsUntil(AT, now - 1_500)).toBe(1.5);
    expect(secondsUntil(AT, now + 1_500)).toBe(0);
  });

  it('says how long ago, and never the future', () => {
    const now = new Date(AT).getTime();
    expect(ago(AT, now + 3_000)).toBe('now');
    expect(ago(AT, now + 65_000)).toBe('1 min ago');
    expect(ago(AT, now + 3 * 86_400_000)).toBe('3 d ago');
    expect(ago(AT, now - 60_000)).toBe('now');
  });

  it('is short in a list: the time today, the date before', () => {
    const now = new Date(AT).getTime();
    expect(listTime(AT, now, 'utc')).toBe('23:04:05');
    expect(listTime(AT, now + 86_400_000, 'utc')).toBe('11-20 23:04');
    expect([eventTime(AT, now, 'utc'), eventTime(AT, now + 86_400_000, 'utc')], 'events keep their seconds over midnight').toEqual(['23:04:05', '11-20 23:04:05']);
  });

  it('names the largest unit only', () => {
    expect(briefDuration(3_700)).toBe('1 h');
    expect(briefDuration(86_400 * 3 + 7_200)).toBe('3 d');
  });

  it.each([
    [0, 'Local', 'UTC'],
    [-120, 'UTC+02:00', 'UTC+02:00'],
    [210, 'UTC−03:30', 'UTC−03:30'],
  ])('names the zone of a machine %i minutes before UTC, on the toggle and in what is read elsewhere', (minutes, toggle, elsewhere) => {
    const at = new Date(AT);
    at.getTimezoneOffset = () => minutes;
    expect(zoneName('local', at)).toBe(toggle);
    expect(offsetName('local', at)).toBe(elsewhere);
    expect(offsetName('utc', at)).toBe('UTC');
  });

  it('comes back from what is typed in both zones', () => {
    for (const zone of ['utc', 'local'] as const) {
      for (const at of ['2026-11-20T23:04:00.000Z', '2026-11-20T23:04:10.000Z']) expect(fromTyped(typedTime(at, zone), zone)).toBe(at);
    }
    expect(typedTime('2026-11-20T23:04:00.000Z', 'utc')).toBe('2026-11-20 23:04');
    expect(fromTyped(' 2026-11-20T23:04 ', 'utc')).toBe('2026-11-20T23:04:00.000Z');
    expect(fromTyped('2026-11-20', 'utc')).toBe('2026-11-20T00:00:00.000Z');
  });

  it.each(['', 'soon', '11/22/2026', '2026-02-31', '2026-13-01', '2026-11-20 25:00'])('reads no time from %j', (text) => {
    expect(fromTyped(text, 'utc')).toBeNull();
  });

  it.each([
    ['2026-11-22T07:00:00Z', '2026-11-22T12:20:00Z', '11-22 07:00 – 12:20'],
    ['2026-11-22T07:00:10Z', '2026-11-22T07:00:20Z', '11-22 07:00:10 – 07:00:20'],
    ['2026-11-20T07:00:00Z', '2026-11-22T12:20:00Z', '11-20 07:00 – 11-22 12:20'],
    ['2025-12-30T00:00:00Z', '2026-01-02T00:00:00Z', '2025-12-30 00:00 – 2026-01-02 00:00'],
  ])('says a stretch from %s to %s as %s', (from, to, said) => {
    expect(between(from, to, Date.UTC(2026, 10, 22), 'utc')).toBe(said);
  });

  it('labels an axis by its span', () => {
    const at = new Date(AT).getTime();
    expect(axis(at, 3_600, 'utc')).toBe('23:04');
    expect(axis(at, 7 * 86_400, 'utc')).toBe('11-20 23:04');
    expect(axis(at, 31 * 86_400, 'utc'), 'a lone 11-20 could be anything').toBe('11-20 23:04');
    expect(axis(at, 90 * 86_400, 'utc')).toBe('11-20');
    expect(axis(at, 3 * 365 * 86_400, 'utc')).toBe('2026-11');
  });

  it('ticks at round times inside the span', () => {
    const from = Date.UTC(2026, 10, 19, 23, 47);
    const ticks = niceTicks(from, from + 86_400_000, 'utc');
    expect(ticks.length).toBeGreaterThanOrEqual(4);
    expect(ticks.length).toBeLessThanOrEqual(9);
    for (const tick of ticks) expect(tick % 3_600_000, 'a full hour').toBe(0);
  });
});

describe('dayOf', () => {
  it('begins where the day begins in the zone', () => {
    expect(dayOf('2026-11-01', 'utc')).toBe('2026-11-01T00:00:00.000Z');
    expect(dayOf('2026-11-01', 'local')).toBe(new Date(2026, 10, 1).toISOString());
    expect([dayOf('', 'utc'), dayOf('2026-02-30', 'utc'), dayOf('2026-02-30', 'local'), dayOf('tomorrow', 'utc')]).toEqual([null, undefined, undefined, undefined]);
  });
});

describe('dayAfter', () => {
  it.each([
    ['2026-11-30', 1, '2026-12-01'],
    ['2026-03-01', -1, '2026-02-28'],
    ['2026-10-25', 1, '2026-10-26'],
    ['2026-02-31', 1, null],
    ['', 1, null],
  ])('goes from %j by %i to %s', (from, days, to) => {
    expect(dayAfter(from, days)).toBe(to);
  });
});
