import { afterAll, describe, expect, it, vi } from 'vitest';

// The next file speaks English.
afterAll(() => {
  localStorage.clear();
  vi.resetModules();
});

describe('the version of a framework', () => {
  it('is said in the language of the window, and one of another shape stays', async () => {
    localStorage.setItem('watchpost.language', 'de');
    vi.resetModules();
    const { loadLanguage } = await import('$ui/i18n');
    await loadLanguage();
    const { editionText } = await import('./edition');
    expect(['Regulation (EU) 2016/679, file edition 5', '4.0.1, file edition 2', '2017'].map(editionText)).toEqual(['Verordnung (EU) 2016/679, Ausgabe 5 der Datei', '4.0.1, Ausgabe 2 der Datei', '2017']);
  });
});
