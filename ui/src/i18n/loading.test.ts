import { expect, it, vi } from 'vitest';

// The catalogue of another language comes after the modules: a text that one of them reads while it loads would be English for ever.
it('no module reads a text while it loads', { timeout: 60_000 }, async () => {
  vi.resetModules();
  const { en } = await import('./en');
  const read = vi.fn(() => 'a text');
  vi.doMock('./index', () => ({ t: read, word: read, language: 'en', LANGUAGES: ['en', 'de'], loadLanguage: () => Promise.resolve(), LANGUAGE_NAMES: { en: 'English', de: 'Deutsch' }, storeLanguage: () => undefined, speak: () => undefined }));
  try {
    const { t } = await import('./index');
    expect(t('nav.incidents'), 'the double is in its place').toBe('a text');
    read.mockClear();
    const modules = import.meta.glob(['../{domain,shared,shell,state,views}/**/*.{ts,svelte}', '../app.svelte', '!../**/*.test.ts']);
    expect(Object.keys(modules).length).toBeGreaterThan(200);
    for (const load of Object.values(modules)) await load();
    expect(read.mock.calls, `of ${Object.keys(en).length} texts`).toEqual([]);
  } finally {
    vi.doUnmock('./index');
    vi.resetModules();
  }
});
