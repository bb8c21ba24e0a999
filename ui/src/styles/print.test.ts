// On paper nothing scrolls: what a component cuts off or fixes on screen, the style of paper lets go or leaves out.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const sheet = readFileSync('src/styles/print.css', 'utf8').replaceAll(/\/\*[^]*?\*\//g, '');
const components = import.meta.glob<string>('../**/*.svelte', { query: '?raw', import: 'default', eager: true });

/** The rules of a style sheet: each selector by itself, as written, with its declarations. */
function rules(css: string): [selector: string, declarations: string][] {
  return [...css.replaceAll(/\/\*[^]*?\*\//g, '').matchAll(/([^{}]+)\{([^{}]*)\}/g)].flatMap(([, selectors = '', declarations = '']) => selectors.split(',').map((one): [string, string] => [one.trim(), declarations]));
}

/** What the style of paper says so of. */
function on(paper: RegExp): ReadonlySet<string> {
  return new Set(rules(sheet).flatMap(([selector, declarations]) => (paper.test(declarations) ? [last(selector)] : [])));
}

/** The last part of a selector: `.list` of `.page > .list.open`. */
function last(selector: string): string {
  return /^[.\w][\w-]*/.exec(selector.split(/\s+/).at(-1) ?? '')?.[0] ?? selector;
}

const free = on(/max-height: none !important/);
const whole = on(/text-overflow: clip !important/);
const away = on(/display: none !important/);
/** What is left out on paper: what is in front of the page, beside it, or there to be pressed. */
const NOT_PRINTED = /\/(?:layout\/dialog|layout\/menu|form\/combo-input|palette\/|domain\/event\/column-choice|domain\/event\/facet-panel|domain\/event\/query-box|form\/select|views\/incidents\/facet-list|views\/incidents\/incidents-view|views\/overview\/incident-timeline|domain\/job\/drop-import|shell\/|feedback\/toasts|app\.svelte|incident\/bulk-|incident\/merge-dialog)/;

const styles = Object.entries(components).flatMap(([file, text]) => {
  const css = /<style>([^]*)<\/style>/.exec(text)?.[1];
  return css === undefined || NOT_PRINTED.test(file) ? [] : rules(css).map(([selector, declarations]): [string, string, string] => [file, selector, declarations]);
});

describe('on paper', () => {
  it('no part of a page scrolls', () => {
    const cut = styles.filter(([, selector, declarations]) => /overflow(?:-[xy])?: (?:auto|scroll)/.test(declarations) && !free.has(last(selector)) && !away.has(last(selector)));
    expect(cut.map(([file, selector]) => `${file} ${selector}`)).toEqual([]);
  });

  it('no text ends in dots', () => {
    const cut = styles.filter(([, selector, declarations]) => /text-overflow: ellipsis/.test(declarations) && !whole.has(last(selector)) && !away.has(last(selector)));
    expect(cut.map(([file, selector]) => `${file} ${selector}`)).toEqual([]);
  });

  it('digits have a text that can be searched and copied, and an empty box is left out', () => {
    const all = rules(sheet).filter(([selector]) => selector === '*').map(([, declarations]) => declarations).join('');
    expect(all).toContain('font-variant-numeric: normal !important;');
    expect(all).toContain('font-feature-settings: normal !important;');
    expect(rules(sheet).filter(([selector]) => selector === 'main textarea:placeholder-shown').map(([, declarations]) => declarations.trim())).toEqual(['display: none !important;']);
  });

  it('what waits to be scrolled to is drawn', () => {
    const waiting = styles.filter(([, , declarations]) => /content-visibility: (?:auto|hidden)/.test(declarations));
    expect(waiting, 'the evidence of an incident').not.toEqual([]);
    expect(rules(sheet).filter(([selector]) => selector === '*').map(([, declarations]) => declarations).join('')).toContain('content-visibility: visible !important;');
  });

  it('ink is black on white, whatever the theme', () => {
    const paper = rules(sheet).find(([selector]) => selector === ':root[data-theme]')?.[1] ?? '';
    for (const ground of ['bg', 'surface', 'raised', 'sunken', 'field']) expect(paper).toContain(`--${ground}: oklch(100% 0 0);`);
    expect(paper).toContain('--text: oklch(0% 0 0);');
    expect(readFileSync('src/styles/tokens.css', 'utf8'), 'the theme that glows is for screens').toMatch(/@media screen \{\s*:root\[data-theme='contrast'\]/);
  });
});
