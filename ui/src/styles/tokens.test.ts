// Text can be read in every theme: the contrast of tokens, computed as WCAG 2.2 says.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const css = readFileSync('src/styles/tokens.css', 'utf8');

type Theme = 'dark' | 'light' | 'contrast';

/** The tokens of a theme that are plain colours. */
function tokens(theme: Theme): Map<string, string> {
  const base = /:root \{([^]*?)\n\}/.exec(css)?.[1] ?? '';
  const own = theme === 'contrast' ? (/data-theme='contrast'\] \{([^]*?)\n\}/.exec(css)?.[1] ?? '') : '';
  const found = new Map<string, string>();
  for (const [, name = '', value = ''] of `${base}${own}`.matchAll(/(--[\w-]+):\s*([^;]+);/g)) {
    const pair = /^light-dark\((oklch\([^)]*\)), (oklch\([^)]*\))\)$/.exec(value);
    found.set(name, pair === null ? value : ((theme === 'light' ? pair[1] : pair[2]) ?? ''));
  }
  return found;
}

function luminance(colour: string): number {
  const parts = /^oklch\(([\d.]+)% ([\d.]+) ([\d.]+)\)$/.exec(colour);
  if (parts === null) throw new Error(`${colour} is no opaque colour`);
  const [l, c, h] = [Number(parts[1]) / 100, Number(parts[2]), (Number(parts[3]) * Math.PI) / 180];
  const [a, b] = [c * Math.cos(h), c * Math.sin(h)];
  const long = (l + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const middle = (l - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const short = (l - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const clamp = (value: number): number => Math.min(Math.max(value, 0), 1);
  const red = clamp(4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short);
  const green = clamp(-1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short);
  const blue = clamp(-0.0041960863 * long - 0.7034186147 * middle + 1.707614701 * short);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [a, b] = [luminance(one), luminance(other)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

const SURFACES = ['--bg', '--surface', '--raised', '--sunken', '--field'];

describe.each(['dark', 'light', 'contrast'] as const)('the %s theme', (theme) => {
  const all = tokens(theme);
  const colour = (name: string): string => all.get(name) ?? '';

  it('has text that can be read on every surface', () => {
    for (const surface of SURFACES) {
      for (const text of ['--text', '--text-2', '--text-3']) {
        const enough = theme === 'contrast' ? 7 : 4.5;
        expect(contrast(colour(text), colour(surface)), `${text} on ${surface}`).toBeGreaterThanOrEqual(enough);
      }
    }
    expect(contrast(colour('--text-on-accent'), colour('--accent')), 'on the accent').toBeGreaterThanOrEqual(4.5);
    expect(contrast(colour('--production-text'), colour('--production')), 'on the mark of production').toBeGreaterThanOrEqual(4.5);
  });

  it('has marks that can be told from what is behind them', () => {
    for (const mark of ['--critical', '--high', '--medium', '--low', '--info', '--ok', '--warn', '--bad', '--focus', '--accent']) {
      expect(contrast(colour(mark), colour('--surface')), mark).toBeGreaterThanOrEqual(theme === 'contrast' ? 4.5 : 3);
    }
  });

  it.runIf(theme === 'contrast')('has lines that can be seen', () => {
    for (const line of ['--line', '--line-strong']) expect(contrast(colour(line), colour('--surface')), line).toBeGreaterThanOrEqual(4.5);
  });
});
