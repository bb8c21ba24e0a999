// A column that is as wide as its content is as wide as an attacker likes: what stands beside a long value leaves the window.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const sources: Readonly<Record<string, string>> = {
  ...import.meta.glob<string>('../**/*.svelte', { query: '?raw', import: 'default', eager: true }),
  'base.css': readFileSync('src/styles/base.css', 'utf8'),
};

/** The rules that lay out a grid: `[selector, declarations]`. */
function grids(source: string): [selector: string, rule: string][] {
  return [...source.matchAll(/([^{};]*)\{([^{}]*)\}/g)].flatMap(([, selector = '', rule = '']) => (/display: grid;/.test(rule) ? [[selector.trim(), rule] as [string, string]] : []));
}

/** Does a column follow the longest word in it? A grid that centres one glyph has nothing else to hold. */
function grows(rule: string): boolean {
  if (/place-items: center;/.test(rule)) return false;
  const template = /grid-template(?:-columns)?: ([^;]*);/.exec(rule)?.[1];
  if (template === undefined) return true;
  return /(?:^|[^.\d])1fr/.test(template.replaceAll(/minmax\((?:[^()]|\([^()]*\))*\)/g, '').replace(/^.*\//, ''));
}

describe('layout', () => {
  it.each(Object.keys(sources))('%s keeps long values within their column', (file) => {
    const loose = grids(sources[file] ?? '').filter(([, rule]) => !/grid-auto-flow: column;/.test(rule) && grows(rule));
    expect(loose.map(([selector]) => selector)).toEqual([]);
  });

  /** A name on one line widens a column of a table whose widths follow what is in it. */
  const named = Object.keys(sources).filter((file) => [...(sources[file] ?? '').matchAll(/<table[^]*?<\/table>/g)].some(([table]) => /<EntityLink|\{@render (?:about|subject)|truncate/.test(table)));

  it('knows the tables with names on one line', () => {
    expect(named).toEqual(expect.arrayContaining(['../domain/entity/risk-table.svelte', '../domain/incident/incident-page.svelte']));
  });

  it.each(named)('%s cuts a name to its column, however long', (file) => {
    expect(sources[file]).toMatch(/table-layout: fixed;/);
  });
});
