import { describe, expect, it } from 'vitest';
import type { Event } from '$ui/generated/model';
import { detailLines, detailWords, fieldsOf } from './details';

describe('the details of an event', () => {
  it('are names and values, whatever the source sent', () => {
    expect(detailLines({ bytes: 900, answer: { code: 'E7', tries: [1, 2] }, none: null, ok: false })).toEqual([
      ['bytes', '900'],
      ['answer.code', 'E7'],
      ['answer.tries', '[1,2]'],
      ['ok', 'false'],
    ]);
    expect([detailLines(null), detailLines('a text'), detailLines({})]).toEqual([[], [['', 'a text']], []]);
    expect(detailLines({ a: { b: { c: { d: { e: 1 } } } } })).toEqual([['a.b.c.d', '{"e":1}']]);
  });
});

describe('the details in words', () => {
  it('name the country of a code, and what an alert on Redis is about', () => {
    const about = { metric: 'memory_used_ratio', verdict: 'critical', server: '10.0.0.7:6379', other: 1 };
    expect(detailWords({ type: 'redis_health', details: about })).toEqual([
      ['Measure', 'Memory use'],
      ['State', 'Critical'],
      ['Server', '10.0.0.7:6379'],
      ['other', '1'],
    ]);
    expect(detailWords({ type: 'login', details: { country: 'BR', metric: 'x' } })).toEqual([
      ['Country', 'Brazil (BR)'],
      ['metric', 'x'],
    ]);
    expect(detailWords({ type: 'login', details: { country: 'the moon' } })).toEqual([['country', 'the moon']]);
  });
});

describe('what events have beyond the named fields', () => {
  it('are fields of the query language with their values, where it can name them', () => {
    const event = (details: unknown, headers: Record<string, string>): Event => ({ details, http: { headers } }) as unknown as Event;
    const seen = fieldsOf([event({ order: { id: 7 }, '0': 'x', 'a b': 'y' }, { 'x-id': '1' }), event({ order: { id: 8 } }, { 'x-id': '1' }), event('a text', {})]);
    expect([...seen]).toEqual([
      ['details.order.id', ['7', '8']],
      ['header.x-id', ['1']],
    ]);
  });
});
