import { describe, expect, it } from 'vitest';
import { beginning, entityTerm, fromParams, narrowed, quote, tokenAt, unfinished } from './query';

describe('text of the query language', () => {
  it('quotes what would mean something else', () => {
    for (const [value, expected] of [
      ['anna', 'anna'],
      ['203.0.113.7', '203.0.113.7'],
      ['/api/a-b', '/api/a-b'],
      ['a b', '"a b"'],
      ['-x', '"-x"'],
      ['or', '"or"'],
      ['a*b', '"a*b"'],
      ['say "hi"', '"say \\"hi\\""'],
      ['a\\b', '"a\\\\b"'],
      ['', '""'],
      ['<script>', '"<script>"'],
      [':x', '":x"'],
    ] as const) expect(quote(value), value).toBe(expected);
    expect(entityTerm({ kind: 'ip', value: '2001:db8::1' })).toBe('ip:2001:db8::1');
  });

  it('adds a condition once and drops its opposite', () => {
    expect(narrowed('', 'user:anna', false)).toBe('user:anna');
    expect(narrowed('status:500', 'user:anna', true)).toBe('status:500 -user:anna');
    expect(narrowed('user:anna status:500', 'user:anna', true)).toBe('status:500 -user:anna');
    expect(narrowed('-user:"a b" x', 'user:"a b"', false)).toBe('x user:"a b"');
    expect(narrowed('a or b', 'user:anna', false)).toBe('(a or b) user:anna');
    expect(narrowed('status:(500 502)', 'user:anna', false)).toBe('(status:(500 502)) user:anna');
    expect(narrowed('not a', 'b', false)).toBe('(not a) b');
  });

  it('reads the links of before', () => {
    expect(fromParams({ entity: 'ip:2001:db8::1', category: 'authentication', severity: 'high', outcome: 'failure', text: 'union  -x' })).toBe(
      'ip:2001:db8::1 category:authentication severity:>=high outcome:failure union "-x"',
    );
    expect(fromParams({ entity: 'nonsense' })).toBeNull();
    expect(fromParams({})).toBeNull();
  });

  it('tells a word that is being written from one that is wrong', () => {
    const end = (text: string, at: number, length: number): boolean => unfinished(text, text.length, { at, length });
    expect(end('severity:', 9, 0), 'a value is missing').toBe(true);
    expect(end('user:anna ip:203.', 13, 4), 'half an address').toBe(true);
    expect(end('user:anna statsu:5', 10, 6), 'its field').toBe(true);
    expect(end('(user:anna or ', 14, 0), 'a condition is missing').toBe(true);
    expect(end('user:"anna s', 5, 7), 'a quotation without its end').toBe(true);
    expect(end('statsu:500 user:anna', 0, 6), 'another word').toBe(false);
    expect(unfinished('ip:203. user:anna', 7, { at: 3, length: 4 }), 'the caret has gone back').toBe(false);
    expect(end('  \u{1f600}x ip:20', 6, 2), 'characters beyond UTF-16').toBe(true);
  });

  it('knows what is being typed', () => {
    for (const [marked, expected] of [
      ['sta|', { from: 0, to: 3, field: null, typed: 'sta' }],
      ['a -sev|', { from: 3, to: 6, field: null, typed: 'sev' }],
      ['severity:>=hi|', { from: 11, to: 13, field: 'severity', typed: 'hi', start: 0 }],
      ['user:a|n x', { from: 5, to: 7, field: 'user', typed: 'a', start: 0, end: 7 }],
      ['(type:log|', { from: 6, to: 9, field: 'type', typed: 'log', start: 1 }],
      ['x |', { from: 2, to: 2, field: null, typed: '' }],
      ['x user:"anna s|', { from: 7, to: 14, field: 'user', typed: 'anna s', start: 2 }],
      ['user:"da|" x', { from: 5, to: 9, field: 'user', typed: 'da', end: 9 }],
      ['"sev|', { field: null, typed: '"sev' }],
      ['x -user:(anna da|v robin) y', { from: 14, to: 17, field: 'user', typed: 'da', start: 3, end: 24 }],
      ['user:(anna or "b (c|', { field: 'user', typed: 'b (c', from: 14 }],
      ['user:(|', { field: 'user', typed: '' }],
      ['user:(anna) da|', { field: null, typed: 'da' }],
      ['details.order.st|', { field: null, typed: 'details.order.st' }],
    ] as const) expect(tokenAt(marked.replace('|', ''), marked.indexOf('|')), marked).toMatchObject(expected);
  });

  it('asks for what begins with it', () => {
    expect(beginning('/api')).toBe('/api*');
    expect(beginning('anna s')).toBe('anna\\ s*');
    expect(beginning('a"(')).toBe('a\\"\\(*');
  });
});
