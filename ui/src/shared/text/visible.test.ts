import { describe, expect, it } from 'vitest';
import { pieces, visible } from './visible';

describe('visible', () => {
  // The same table as in watchpost_model::text.
  it.each([
    ['plain', 'plain'],
    ['a\u202eb', 'a\\u{202e}b'],
    ['\u001b[31mred', '\\x1b[31mred'],
    ['two\nlines\0', 'two\\nlines\\x00'],
    ['nul\u2400', 'nul\\x00'],
    ['日本 ü', '日本 ü'],
    ['zero\u200bwidth', 'zero\\u{200b}width'],
    ['tag\u{e0041}', 'tag\\u{e0041}'],
    ['half\ud800', 'half\\u{d800}'],
  ])('%j', (input, expected) => expect(visible(input)).toBe(expected));

  it('marks a cut', () => expect(visible('abcdef', 3)).toBe('abc…'));

  it('counts characters, not code units', () => {
    expect(pieces('😀\u202e')).toEqual([
      { text: '😀', escape: false, start: 0 },
      { text: '\\u{202e}', escape: true, start: 1 },
    ]);
  });
});
