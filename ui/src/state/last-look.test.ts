import { beforeEach, describe, expect, it, vi } from 'vitest';
import { AWAY_MS, LastLook } from './last-look.svelte';

const NOON = Date.UTC(2026, 10, 21, 12);
const HOUR = 3_600_000;

beforeEach(() => localStorage.clear());

describe('the last look', () => {
  it('misses nothing the first time', () => {
    const looks = new LastLook();
    looks.look('a', NOON);
    expect(looks.away).toBeNull();
  });

  it('tells the time away, from the last look to the return', () => {
    const looks = new LastLook();
    looks.look('a', NOON);
    looks.look('a', NOON + AWAY_MS);
    expect(looks.away, 'a coffee is no absence').toBeNull();
    looks.look('a', NOON + AWAY_MS + 6 * HOUR);
    expect(looks.away).toEqual({ from: NOON + AWAY_MS, to: NOON + AWAY_MS + 6 * HOUR });
    looks.look('a', NOON + AWAY_MS + 6 * HOUR + 60_000);
    expect(looks.away?.to, 'it stands still while somebody looks').toBe(NOON + AWAY_MS + 6 * HOUR);
  });

  it('keeps what was not seen, also over starts and further absences', () => {
    new LastLook().look('a', NOON);
    new LastLook().look('a', NOON + HOUR);
    const next = new LastLook();
    next.look('a', NOON + HOUR + 60_000);
    expect(next.away, 'opened again at once').toEqual({ from: NOON, to: NOON + HOUR });
    next.look('a', NOON + 9 * HOUR);
    expect(next.away, 'gone again without having read it').toEqual({ from: NOON, to: NOON + 9 * HOUR });
  });

  it('begins anew when it was seen', () => {
    const looks = new LastLook();
    looks.look('a', NOON);
    looks.look('a', NOON + HOUR);
    looks.seen();
    expect(looks.away).toBeNull();
    looks.look('a', NOON + HOUR + 60_000);
    expect(looks.away).toBeNull();
    looks.look('a', NOON + 5 * HOUR);
    expect(looks.away).toEqual({ from: NOON + HOUR + 60_000, to: NOON + 5 * HOUR });
    const other = new LastLook();
    other.look('a', NOON + 5 * HOUR + 1_000);
    looks.seen();
    other.look('a', NOON + 5 * HOUR + 2_000);
    expect(other.away, 'another window heard of it').toBeNull();
  });

  it('keeps workspaces apart, and no more of them than it says', () => {
    const looks = new LastLook();
    looks.look('a', NOON);
    looks.look('b', NOON + HOUR);
    expect(looks.away, 'b is new').toBeNull();
    for (let n = 0; n < 25; n += 1) looks.look(`w${n}`, NOON + 2 * HOUR + n);
    looks.look('a', NOON + 3 * HOUR);
    expect(looks.away, 'a was forgotten').toBeNull();
    looks.look('w24', NOON + 4 * HOUR);
    expect(looks.away?.from).toBe(NOON + 2 * HOUR + 24);
  });

  it.each(['', 'null', '[1]', '{"a":1}', '{"a":{"at":"x"}}', '{"a":{"at":1,"away":{"from":3,"to":2}}}'])('begins anew with what it cannot read: %s', (stored) => {
    localStorage.setItem('watchpost.looked', stored);
    const looks = new LastLook();
    looks.look('a', NOON);
    expect(looks.away).toBeNull();
  });

  it('does not take a clock that was put back for an absence', () => {
    const looks = new LastLook();
    looks.look('a', NOON);
    looks.look('a', NOON - 9 * HOUR);
    expect(looks.away).toBeNull();
  });

  it('looks while the window has the focus, and at once when it comes back', () => {
    vi.useFakeTimers({ now: NOON });
    const focus = vi.spyOn(document, 'hasFocus').mockReturnValue(true);
    const looks = new LastLook();
    const stop = looks.watch('a');
    try {
      vi.advanceTimersByTime(2 * HOUR);
      expect(looks.away, 'somebody looked all the time').toBeNull();
      focus.mockReturnValue(false);
      vi.advanceTimersByTime(8 * HOUR);
      expect(looks.away, 'nobody is there to be told').toBeNull();
      focus.mockReturnValue(true);
      dispatchEvent(new Event('focus'));
      expect(looks.away).toEqual({ from: NOON + 2 * HOUR, to: NOON + 10 * HOUR });
    } finally {
      stop();
      vi.useRealTimers();
    }
    focus.mockReturnValue(true);
    const kept = localStorage.getItem('watchpost.looked');
    dispatchEvent(new Event('focus'));
    expect(localStorage.getItem('watchpost.looked'), 'it has ended').toBe(kept);
  });
});
