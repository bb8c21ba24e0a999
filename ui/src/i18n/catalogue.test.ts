import { describe, expect, it, vi } from 'vitest';
import { de } from './de';
import { en } from './en';

/** Names of the holes, each once: where one language inflects two words, another inflects one. */
function holes(text: string): string[] {
  return [...new Set([...text.matchAll(/\{(\w+)[|}]/g)].map((found) => found[1] ?? ''))].toSorted();
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
    const kinds = all(/(?:word|titled|said|spoken)\(\s*[`']([a-z_]+)[`']/g).map((kind) => `${kind}.`);
    // Handed over whole, to who fills them elsewhere.
    const whole = all(/textsOf\(([^)]*)\)/g).flatMap((list) => [...list.matchAll(/'([^']+)'/g)].map((found) => found[1] ?? ''));
    expect([begins.length, ends.length, kinds.length].every((n) => n > 3), 'the patterns find what they are for').toBe(true);
    const shown = (key: string): boolean =>
      [`'${key}'`, `\`${key}\``].some((text) => code.includes(text)) || [...begins, ...kinds, ...whole].some((begin) => key.startsWith(begin)) || ends.some((end) => key.endsWith(end));
    expect(Object.keys(en).filter((key) => !shown(key))).toEqual([]);
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
    expect(['1', 1, 0, '0', 2, '11', '1,001', '1.5', '12K', 'n/a'].map((n) => t('search.total', { n }))).toEqual(['1 event', '1 event', '0 events', '0 events', '2 events', '11 events', '1,001 events', '1.5 events', '12K events', 'n/a events']);
    expect(t('incident.page', { n: 1 }), 'a number that names something').toBe('Incident #1');
    expect(t('policy.would.of', { matched: '1', findings: '7', skipped: '1' })).toBe('1 of 7 findings matches, 1 action skipped');
  });
});

/** Words that stay as they are, whether it is one or many. */
const SAME: Readonly<Record<'en' | 'de', RegExp>> = {
  en: /^(of|active|selected|changed|left|more|failed|waiting|running|quarantined|dropped|judged|new|benign|harmless|looked|alike|in|that|so|h|ms|late|true|false|into|merged|and|done|not)$/,
  de: /^(von|wirksam|gewählt|geändert|unverändert|weitere|fehlgeschlagen|beurteilt|neu|harmlos|betrachtet|ausgelassen|mal|davon|in|im|passenden|gleich|h|ms|zu|der|verworfen|Benutzer|überführen|überführt|insgesamt|aktiv|erledigt|und|ohne)$/,
};
/** What follows is about a limit or a page, which is never one. */
const NEVER_ONE: readonly string[] = ['blocks.limit', 'outbox.most', 'pages.full', 'incidents.full', 'audit.full', 'events.first', 'events.first.of', 'search.export.most', 'search.loaded', 'search.loaded.most', 'search.facets.newest', 'search.facets.at_least', 'report.control.rows.some', 'rule.backtest.truncated', 'map.most', 'map.events.some', 'connections.words_behind', 'entities.more'];
/** Holes that hold numbers. */
const NUMBERS = 'n|of|all|total|shown|done|days|hours|events|failures|users|endpoints|before|after|tp|fp|ok|benign|controls|population|exceptions|warnings|matched|findings|skipped|problems|rules|records|size|active|seen|threshold|keys|rows|was';

describe.each(['en', 'de'] as const)('numbers in %s', (language) => {
  const texts: [string, string][] = Object.entries(language === 'de' ? de : en);
  const inflected = texts.filter(([, text]) => /\{\w+\|/.test(text));
  const rules = new Intl.PluralRules(language);

  it.each(inflected)('%s has a form for one and for more', async (key, text) => {
    try {
      storeLanguageOf(language);
      vi.resetModules();
      const { loadLanguage, t } = await import('./index');
      await loadLanguage();
      const say = (n: string): string => (t as (key: string, values: Record<string, string>) => string)(key, Object.fromEntries(holes(text).map((name) => [name, n])));
      for (const [, forms = ''] of text.matchAll(/\{\w+\|([^{}]*)\}/g)) {
        expect(forms.split('|'), 'as many forms as the language has').toHaveLength(rules.resolvedOptions().pluralCategories.length);
        expect(forms.split('|').every((form) => form.trim() !== ''), 'no form is empty').toBe(true);
        expect(new Set(forms.split('|')).size, 'forms that differ').toBe(forms.split('|').length);
      }
      const [one, many] = [say('1'), say('70002')];
      expect(one + many, 'nothing is left of a hole').not.toMatch(/[{}|]/);
      expect(one.replaceAll('1', '70002'), 'one is said otherwise').not.toBe(many);
      expect(say('70003').replaceAll('70003', '70002')).toBe(many);
    } finally {
      localStorage.removeItem('watchpost.language');
      vi.resetModules();
    }
  });

  it('inflects every word that a number stands before', () => {
    const found = texts.flatMap(([key, text]) =>
      NEVER_ONE.includes(key) ? [] : [...text.matchAll(new RegExp(`(?<![#\\w])\\{(?:${NUMBERS})\\} ([\\p{L}]+)`, 'gu'))].filter((hit) => !SAME[language].test(hit[1] ?? '')).map((hit) => `${key}: ${hit[0]}`),
    );
    expect(found).toEqual([]);
  });
});

function storeLanguageOf(language: string): void {
  localStorage.setItem('watchpost.language', language);
}
