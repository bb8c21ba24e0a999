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

describe('the language', () => {
  it('is English until this machine is told otherwise', async () => {
    const { language, t, storeLanguage } = await import('./index');
    expect([language, t('nav.incidents')]).toEqual(['en', 'Incidents']);
    storeLanguage('de');
    vi.resetModules();
    const next = await import('./index');
    expect([next.language, next.t('nav.incidents'), next.word('severity', 'high'), next.t('incident.page', { n: 7 })]).toEqual(['de', 'Vorfälle', 'Hoch', 'Vorfall #7']);
    localStorage.removeItem('watchpost.language');
  });
});
