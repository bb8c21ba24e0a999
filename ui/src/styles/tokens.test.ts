// Text can be read in every theme: the contrast of the colours that components name, computed as WCAG 2.2 says.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { colour, contrast, laid, type Colour } from './colours';

type Theme = 'dark' | 'light' | 'contrast';

const css = readFileSync('src/styles/tokens.css', 'utf8');
const sources = import.meta.glob<string>(['../**/*.svelte', './base.css'], { query: '?raw', import: 'default', eager: true });

const SURFACES = ['--bg', '--surface', '--raised', '--sunken', '--field'];
/** What lies between a surface and its text while it is pointed at or chosen. Lists on a raised ground are menus: only pointed at. */
const VEILS: readonly (readonly [veil: string, surfaces: readonly string[]])[] = [
  ['transparent', SURFACES],
  ['var(--hover)', SURFACES],
  ['var(--selected)', ['--bg', '--surface', '--sunken']],
];

/** Colours of glyphs, dots and lines: they need 3:1, and a word stands beside each. */
const MARKS = ['--critical', '--high', '--medium', '--low', '--info', '--warn', '--tone', '--line', '--line-strong', '--focus'];
/** Text that is nowhere but on a ground of its own. */
const NEVER_PLAIN = ['var(--text-on-accent)', 'var(--production-text)', 'var(--sunken)', 'color-mix(in oklab, var(--high), var(--text) 60%)', 'color-mix(in oklab, var(--high), var(--text) 30%)'];
/** Such grounds and what is written on them. */
const ON_OWN_GROUND: readonly (readonly [text: string, ground: string, surface: string])[] = [
  ['var(--text-on-accent)', 'var(--accent)', '--bg'],
  ['var(--text-on-accent)', 'var(--accent-strong)', '--bg'],
  ['var(--production-text)', 'var(--production)', '--bg'],
  ['var(--sunken)', 'color-mix(in oklab, var(--high), var(--text) 30%)', '--sunken'],
  ['color-mix(in oklab, var(--high), var(--text) 60%)', 'color-mix(in oklab, var(--high) 20%, transparent)', '--sunken'],
  ['color-mix(in oklab, var(--high), var(--text) 30%)', 'color-mix(in oklab, var(--high) 20%, transparent)', '--surface'],
  // A dangerous button, at rest and pointed at.
  ['color-mix(in oklab, var(--bad), var(--text) 25%)', 'var(--bad-soft)', '--surface'],
  ['color-mix(in oklab, var(--bad), var(--text) 25%)', 'color-mix(in oklab, var(--bad) 26%, transparent)', '--surface'],
  ...['--ok', '--warn', '--bad'].flatMap((tone) => [['var(--text)', `var(${tone}-soft)`, '--surface'] as const, ['var(--text-2)', `var(${tone}-soft)`, '--surface'] as const]),
  ['var(--text)', 'var(--accent-soft)', '--bg'],
  ...['--ok', '--warn', '--bad', '--accent', '--text-3'].map((tone) => [`color-mix(in oklab, var(${tone}), var(--text) 35%)`, `color-mix(in oklab, var(${tone}) 13%, transparent)`, '--surface'] as const),
  ...['--ok', '--medium', '--high', '--critical'].map((tone) => [`color-mix(in oklab, var(${tone}), var(--text) 30%)`, `color-mix(in oklab, var(${tone}) 7%, var(--surface))`, '--surface'] as const),
];

/** The tokens of a theme as they are written. */
function tokens(theme: Theme): ReadonlyMap<string, string> {
  const base = /:root \{([^]*?)\n\}/.exec(css)?.[1] ?? '';
  const own = theme === 'contrast' ? (/data-theme='contrast'\] \{([^]*?)\n {2}\}/.exec(css)?.[1] ?? '') : '';
  return new Map([...`${base}${own}`.matchAll(/(--[\w-]+):\s*([^;]+);/g)].map(([, name = '', value = '']) => [name, value]));
}

/** Every colour of text that a component or the base style names. */
function textColours(): string[] {
  const named = Object.values(sources).flatMap((text) => [...text.matchAll(/(?<![\w-])color:\s*([^;{}]+);/g)].map((found) => found[1] ?? ''));
  return [...new Set(named)].filter((name) => !['inherit', 'currentcolor', 'transparent'].includes(name));
}

function isMark(name: string): boolean {
  const token = /^var\((--[\w-]+)(?:,.*)?\)$/.exec(name)?.[1];
  return token !== undefined && MARKS.includes(token);
}

const texts = textColours();
const plain = texts.filter((name) => !isMark(name) && !name.includes('--tone') && !NEVER_PLAIN.includes(name));

it('looks at what components use', () => {
  expect(plain).toEqual(expect.arrayContaining(['var(--text)', 'var(--text-2)', 'var(--text-3)', 'var(--accent)', 'var(--bad)', 'var(--ok)']));
  expect(texts.filter((name) => name.includes('--tone') && !isMark(name)).toSorted(), 'a new mixture of a tone is looked at below').toEqual([20, 30, 35].map((share) => `color-mix(in oklab, var(--tone), var(--text) ${share}%)`));
});

describe.each(['dark', 'light', 'contrast'] as const)('the %s theme', (theme) => {
  const all = tokens(theme);
  const of = (text: string): Colour => colour(text, all, theme === 'light' ? 'light' : 'dark');
  const ratio = (text: string, ...layers: readonly string[]): number => contrast(laid(...layers.map(of), of(text)), laid(...layers.map(of)));

  it('has text that can be read on every surface, pointed at and chosen', () => {
    for (const text of plain) {
      for (const [veil, surfaces] of VEILS) {
        for (const surface of surfaces) expect(ratio(text, `var(${surface})`, veil), `${text} on ${surface} below ${veil}`).toBeGreaterThanOrEqual(4.5);
      }
    }
  });

  it('has text that can be read on grounds of its own', () => {
    for (const [text, ground, surface] of ON_OWN_GROUND) expect(ratio(text, `var(${surface})`, ground), `${text} on ${ground}`).toBeGreaterThanOrEqual(4.5);
    // The status bar says what is wrong in the colour of the tone.
    for (const tone of ['--ok', '--warn', '--bad']) expect(ratio(`color-mix(in oklab, var(${tone}), var(--text) 20%)`, 'var(--sunken)'), `${tone} in the status bar`).toBeGreaterThanOrEqual(4.5);
  });

  it('has marks that can be told from what is behind them', () => {
    for (const mark of ['--critical', '--high', '--medium', '--low', '--info', '--ok', '--warn', '--bad', '--focus', '--accent']) {
      expect(ratio(`var(${mark})`, 'var(--surface)'), mark).toBeGreaterThanOrEqual(theme === 'contrast' ? 4.5 : 3);
    }
  });
});

describe('the contrast theme', () => {
  const all = tokens('contrast');
  const on = (text: string, surface: string): number => contrast(laid(colour(`var(${text})`, all, 'dark')), laid(colour(`var(${surface})`, all, 'dark')));

  it('has text at 7:1', () => {
    for (const surface of SURFACES) for (const text of ['--text', '--text-2', '--text-3']) expect(on(text, surface), `${text} on ${surface}`).toBeGreaterThanOrEqual(7);
  });

  it('has examples in fields that can be read, and are not taken for what was entered', () => {
    expect(on('--placeholder', '--field')).toBeGreaterThanOrEqual(7);
    expect(on('--text', '--placeholder')).toBeGreaterThanOrEqual(2);
  });

  it('has lines that can be seen', () => {
    for (const line of ['--line', '--line-strong']) expect(on(line, '--surface'), line).toBeGreaterThanOrEqual(4.5);
  });
});
