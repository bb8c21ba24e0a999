import { afterAll, describe, expect, it, vi } from 'vitest';

async function inLanguage(language: string) {
  vi.resetModules();
  localStorage.setItem('watchpost.language', language);
  const { loadLanguage } = await import('$ui/i18n');
  await loadLanguage();
  return (await import('./alert-text')).alertText;
}

// The next file speaks English.
afterAll(() => {
  localStorage.clear();
  vi.resetModules();
});

/** As the console writes them. */
const SAID: readonly [text: string, german: string][] = [
  ['used memory 114 % of maxmemory (critical from 85 %) since 10:02 UTC', 'Speicher belegt: 114\u00A0% von maxmemory (kritisch ab 85\u00A0%) seit 10:02 UTC'],
  ['used memory 50 % of maxmemory since 10:02 UTC: below its lines again', 'Speicher belegt: 50\u00A0% von maxmemory seit 10:02 UTC wieder unter den Linien'],
  ['Slow commands 43,607/min (warning from 1,000/min) since 10:02 UTC', 'Langsame Befehle 43.607/min (Warnung ab 1.000/min) seit 10:02 UTC'],
  ['Keys evicted 3 (critical from the first one on) since 10:02 UTC', 'Verdrängte Schlüssel 3 (kritisch ab dem ersten) seit 10:02 UTC'],
  ['Command latency, p99.9 12.5 ms (warning from 10.0 ms) since 10:02 UTC', 'Dauer der Befehle, p99,9 12,5 ms (Warnung ab 10,0 ms) seit 10:02 UTC'],
  ['a text of another shape', 'a text of another shape'],
];

describe('what an alert on Redis says', () => {
  it('is the sentence of the console in English, with percent as the window sets it', async () => {
    const alertText = await inLanguage('en');
    expect(SAID.map(([text]) => alertText(text))).toEqual(SAID.map(([text]) => text.replaceAll(' %', '%')));
  });

  it('is said in German', async () => {
    const alertText = await inLanguage('de');
    expect(SAID.map(([text]) => alertText(text))).toEqual(SAID.map(([, german]) => german));
  });
});
