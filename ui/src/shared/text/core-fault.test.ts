import { afterAll, describe, expect, it, vi } from 'vitest';

async function said(language: string, message: string, hint: string | null = null): Promise<[string, string | null]> {
  vi.resetModules();
  localStorage.setItem('watchpost.language', language);
  const { loadLanguage } = await import('$ui/i18n');
  await loadLanguage();
  const { normaliseError } = await import('$ui/state/error');
  const error = normaliseError({ code: 'unavailable', message, hint });
  return [error.message, error.hint];
}

// The next file speaks English.
afterAll(() => {
  localStorage.clear();
  vi.resetModules();
});

const SILENT = 'Redis does not answer: no server answers at 127.0.0.1:17391';
const AGAIN = 'the connection is tried again every two seconds; test it in Settings';

describe('what the core says of a connection that fails', () => {
  it('is said in German', async () => {
    expect(await said('de', SILENT, AGAIN)).toEqual([
      'Redis antwortet nicht: unter 127.0.0.1:17391 antwortet kein Server',
      'die Verbindung wird alle zwei Sekunden neu versucht; unter Einstellungen lässt sie sich prüfen',
    ]);
    expect(await said('de', 'Redis: the server refused the user name or password')).toEqual(['Redis: der Server hat Benutzernamen oder Passwort abgelehnt', null]);
    expect(await said('de', 'Redis does not answer: of a newer console')).toEqual(['Redis antwortet nicht: of a newer console', null]);
    expect(await said('de', 'a text of another form', 'look')).toEqual(['a text of another form', 'look']);
  });

  it('stays as it is in English', async () => {
    expect(await said('en', SILENT, AGAIN)).toEqual([SILENT, AGAIN]);
  });
});
