import { describe, expect, it } from 'vitest';
import { formatFilter, hasEnd, parseFilter, parseOrder, requested, since, TIMED, toggled, without } from './filter';

describe('the filter in the address', () => {
  it('shows the active incidents by default', () => {
    expect(parseFilter({}).status).toEqual(['open', 'investigating', 'contained', 'reopened']);
    expect(parseFilter({ status: 'all' }).status).toEqual([]);
    expect(formatFilter(parseFilter({}))).toEqual({});
  });

  it('shows the whole history of an entity', () => {
    expect(parseFilter({ entity: 'ip:203.0.113.7' })).toMatchObject({ status: [], entity: { kind: 'ip', value: '203.0.113.7' } });
  });

  it.each([
    { status: 'all' },
    { status: 'resolved,closed', severity: 'critical,high', family: 'sqli' },
    { entity: 'ip:2001:db8::1', text: 'union select', assignee: '' },
    { order: 'due' },
    { order: 'newest' },
    { entity: 'user:a:b', status: 'open' },
  ])('comes back from %j', (query) => {
    const again = formatFilter(parseFilter(query), parseOrder(query));
    expect(formatFilter(parseFilter(again), parseOrder(again))).toEqual(again);
    expect(parseFilter(again)).toEqual(parseFilter(query));
  });

  it('drops words it does not know', () => {
    expect(parseFilter({ severity: 'critical,terrible', status: 'nonsense' })).toMatchObject({ severity: ['critical'], status: [] });
    expect(parseFilter({ entity: 'planet:mars' }).entity).toBeNull();
    expect(parseFilter({ entity: 'user:' }).entity, 'of nobody').toBeNull();
    expect(parseOrder({ order: 'random' })).toBe('urgency');
  });

  it('puts the most urgent first, and says so only of another order', () => {
    expect(parseOrder({})).toBe('urgency');
    expect(formatFilter(parseFilter({}), 'urgency')).toEqual({});
    expect(formatFilter(parseFilter({}), 'newest')).toEqual({ order: 'newest' });
    expect(parseOrder({ order: 'newest' })).toBe('newest');
  });

  it('toggles', () => {
    expect(toggled(['a', 'b'], 'a')).toEqual(['b']);
    expect(toggled(['a'], 'b')).toEqual(['a', 'b']);
  });

  it('hold times, and leave out what is none', () => {
    const span = { from: '2026-11-20T14:20:00.000Z', to: '2026-11-20T20:25:00.000Z' };
    for (const what of TIMED) {
      const filter = { ...parseFilter({ status: 'all' }), [what]: span };
      expect(parseFilter(formatFilter(filter))).toEqual(filter);
    }
    for (const text of ['', 'x..y', '2026-11-20T14:20:00Z', '..2026-11-20T14:20:00Z', '2026-11-21T00:00:00Z..2026-11-20T00:00:00Z', '1..2..3']) {
      expect(parseFilter({ opened: text }).opened, text).toBeUndefined();
    }
  });

  it('hold times that move, and ask for them as of now', () => {
    const query = { status: 'all', opened: '24h', changed: '1h' };
    const filter = parseFilter(query);
    expect(formatFilter(filter)).toEqual(query);
    const at = (now: number): string | undefined => requested(filter, () => now).opened?.from;
    const now = Date.UTC(2026, 10, 20, 14, 22, 33);
    expect(at(now)).toBe('2026-11-19T14:20:00.000Z');
    expect(at(now + 60_000), 'the same question for a while').toBe(at(now));
    expect(at(now + 86_400_000)).toBe('2026-11-20T14:20:00.000Z');
    expect(requested(filter, () => now).changed).toEqual(since(Date.UTC(2026, 10, 20, 13, 22)));
    expect(hasEnd(since(now)), 'what comes now is in it').toBe(false);
    expect(parseFilter({ opened: '25h' }).opened).toBeUndefined();
  });

  it('hold whether somebody acknowledged', () => {
    for (const acknowledged of [true, false]) {
      const filter = { ...parseFilter({ status: 'all' }), acknowledged };
      expect(parseFilter(formatFilter(filter))).toEqual(filter);
      expect(without(filter, 'acknowledged').acknowledged).toBeUndefined();
    }
    expect(parseFilter({ acknowledged: 'perhaps' }).acknowledged).toBeUndefined();
  });

  it('hold when they were active, to the microsecond', () => {
    const filter = { ...parseFilter({ status: 'all' }), active_at: '2026-11-20T14:20:00.000001Z' };
    expect(parseFilter(formatFilter(filter))).toEqual(filter);
    expect(without(filter, 'active_at').active_at).toBeUndefined();
    for (const none of ['now', '2026', '2026-11-20T14:20:00', '2026-13-20T14:20:00Z']) expect(parseFilter({ active_at: none }).active_at, none).toBeUndefined();
  });

  it('hold times without an end', () => {
    const filter = { ...parseFilter({ status: 'all' }), opened: since(Date.UTC(2026, 10, 20, 14, 20)) };
    const query = formatFilter(filter);
    expect(query['opened']).toBe('2026-11-20T14:20:00.000Z..');
    expect(parseFilter(query)).toEqual(filter);
    expect([hasEnd(filter.opened), hasEnd({ from: filter.opened.from, to: '2026-11-21T00:00:00.000Z' })]).toEqual([false, true]);
  });
});
