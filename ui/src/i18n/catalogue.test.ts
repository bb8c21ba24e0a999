import { describe, expect, it, vi } from 'vitest';
import { de } from './de';
import { en } from './en';

function holes(text: string): string[] {
  return [...text.matchAll(/\{(\w+)\}/g)].map((found) => found[1] ?? '').toSorted();
}

describe('the German catalogue', () => {
  it('has every key of the English one, and no other', () => {
    expect(Object.keys(en).filter((key) => !(key in de)), 'not translated').toEqual([]);
    expect(Object.keys(de).filter((key) => !(key in en)), 'of nothing').toEqual([]);
  });

  it('has the same holes in every text', () => {
    const german: Readonly<Record<string, string>> = de;
    const other = Object.entries(en).filter(([key, text]) => JSON.stringify(holes(text)) !== JSON.stringify(holes(german[key] ?? '')));
    expect(other.map(([key]) => key)).toEqual([]);
  });

  it('leaves no text empty', () => {
    expect(Object.entries(de).filter(([, text]) => text.trim() === '')).toEqual([]);
  });
});

describe('the English catalogue', () => {
  it('holds no text that nothing shows', () => {
    const files = import.meta.glob<string>(['../**/*.ts', '../**/*.svelte', '!../**/*.test.ts', '!../i18n/**', '!../generated/**'], { query: '?raw', import: 'default', eager: true });
    const code = Object.values(files).join('\n');
    const all = (pattern: RegExp): string[] => [...code.matchAll(pattern)].map((found) => found[1] ?? '');
    // Keys that are put together: `kind.${...}`, `${...}.title`, and words of the model.
    const begins = all(/`([a-z_]+(?:\.[a-z_]+)*\.)\$\{/g);
    const ends = all(/\$\{[^`{}]*\}(\.[a-z_.]+)`/g);
    const kinds = all(/word\(\s*[`']([a-z_]+)[`']/g).map((kind) => `${kind}.`);
    expect([begins.length, ends.length, kinds.length].every((n) => n > 3), 'the patterns find what they are for').toBe(true);
    const shown = (key: string): boolean =>
      [`'${key}'`, `\`${key}\``].some((text) => code.includes(text)) || [...begins, ...kinds].some((begin) => key.startsWith(begin)) || ends.some((end) => key.endsWith(end));
    expect(Object.keys(en).filter((key) => !shown(key.replace(/\.one$/, '')))).toEqual([]);
  });
});

describe('the language', () => {
  it('is English until this machine is told otherwise', async () => {
    const { language, t, storeLanguage } = await import('./index');
    expect([language, t('nav.incidents')]).toEqual(['en', 'Incidents']);
    try {
      storeLanguage('de');
      vi.resetModules();
      const next = await import('./index');
      expect(next.t('nav.incidents'), 'no text is drawn before its catalogue is there').toBe('Incidents');
      await next.loadLanguage();
      expect([next.language, next.t('nav.incidents'), next.word('severity', 'high'), next.t('incident.page', { n: 7 })]).toEqual(['de', 'Vorfälle', 'Hoch', 'Vorfall #7']);
    } finally {
      // The German modules are of this test only; the next one loads its own.
      localStorage.removeItem('watchpost.language');
      vi.resetModules();
    }
  });

  it('speaks of one thing in the singular, however the number was written', async () => {
    const { t } = await import('./index');
    expect([t('search.total', { n: 1 }), t('search.total', { n: '1' }), t('search.total', { n: 11 }), t('incident.page', { n: 1 })]).toEqual(['1 event', '1 event', '11 events', 'Incident #1']);
  });
});
