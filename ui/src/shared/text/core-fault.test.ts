import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it, vi } from 'vitest';

async function said(language: string, message: string, hint: string | null = null, code = 'unavailable'): Promise<[string, string | null]> {
  vi.resetModules();
  localStorage.setItem('watchpost.language', language);
  const { loadLanguage } = await import('$ui/i18n');
  await loadLanguage();
  const { normaliseError } = await import('$ui/state/error');
  const error = normaliseError({ code, message, hint });
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

  it('is said in German of what a role may not, what is gone, and a disk that is full', async () => {
    expect(await said('de', 'the role viewer may not take an incident', 'ask an admin for a role with the permission "triage"', 'permission')).toEqual([
      'die Rolle Betrachtung darf das nicht (take an incident)',
      'die Administration um eine Rolle mit dem Recht „triage“ bitten',
    ]);
    expect(await said('de', 'incident 999 does not exist', null, 'not_found')).toEqual(['nicht vorhanden: Vorfall 999', null]);
    expect(await said('de', 'there is no rule "wp.x"', '`watchpost rules list` shows them', 'not_found')).toEqual(['nicht vorhanden: Regel "wp.x"', 'Sie stehen unter Regeln']);
    expect(await said('de', 'there is no way back'), 'only where the code says so').toEqual(['there is no way back', null]);
    expect(await said('de', 'the disk of the database is full; nothing was written', 'free some space and try again')).toEqual([
      'der Datenträger der Datenbank ist voll; nichts wurde geschrieben',
      'Platz schaffen und erneut versuchen',
    ]);
    expect((await said('de', 'the disk of the database is full; nothing was written', 'free room on the disk of /srv/audit.db, then open it again: nothing can be recorded before'))[1]).toBe(
      'auf dem Datenträger von /srv/audit.db Platz schaffen und dann neu öffnen: Vorher lässt sich nichts festhalten',
    );
    expect(await said('de', 'the file of the database cannot be written: Permission denied (os error 13)', 'give your user the right to write to /srv/audit.db and its folder; SQLite keeps its log beside the file')).toEqual([
      'die Datei der Datenbank lässt sich nicht schreiben: Permission denied (os error 13)',
      'dem eigenen Konto das Recht geben, /srv/audit.db und den Ordner zu schreiben; SQLite führt sein Log neben der Datei',
    ]);
    expect((await said('de', 'cannot read /x.pem, which is to be used for TLS: No such file'))[0]).toBe('/x.pem kann nicht gelesen werden, obwohl es für TLS gebraucht wird: No such file');
  });

  it('is said in German of an address that is none, and of a range that is too wide', async () => {
    const cases = [
      ['"999.1.1.1" is not an IP address or CIDR range; write it like 203.0.113.7, 203.0.113.0/24 or 2001:db8::/32', '"999.1.1.1" ist keine IP-Adresse und kein CIDR-Bereich; zu schreiben wie 203.0.113.7, 203.0.113.0/24 oder 2001:db8::/32'],
      ['"010.0.0.1" has a number with a leading zero, which programs read differently; write it without', '"010.0.0.1" hat eine Zahl mit führender Null, die Programme verschieden lesen; ohne sie schreiben'],
      ['0.0.0.0/0 is too wide: at least /8 for IPv4 and /16 for IPv6', '0.0.0.0/0 ist zu weit: mindestens /8 bei IPv4 und /16 bei IPv6'],
      ['there is no rule "wp.nope"', 'eine Regel „wp.nope“ gibt es nicht'],
    ] as const;
    const core = readFileSync('../crates/watchpost-model/src/block.rs', 'utf8');
    for (const [message, german] of cases) {
      expect((await said('de', message, null, 'validation'))[0]).toBe(german);
      expect((await said('en', message, null, 'validation'))[0]).toBe(message);
      if (!message.startsWith('there')) expect(core).toContain(message.replace(/^\S+ /, ''));
    }
  });

  it('is said in German of a database that does not open, whatever the server or the driver said', async () => {
    expect(await said('de', 'PostgreSQL does not let this login in: password authentication failed for user "anna"', 'The user name or the password is wrong. Save the connection anew with what is right; `watchpost connect test` tries it step by step.')).toEqual([
      'PostgreSQL lässt diese Anmeldung nicht ein: password authentication failed for user "anna"',
      'Benutzername oder Passwort ist falsch. Die Verbindung mit den richtigen Angaben neu sichern; `watchpost connect test` prüft sie Schritt für Schritt.',
    ]);
    expect((await said('de', 'the database cannot be reached: error communicating with database: Connection refused (os error 111)'))[0]).toBe('die Datenbank ist nicht erreichbar: die Verbindung zur Datenbank ist gestört: Connection refused (os error 111)');
    expect((await said('de', 'the database has schema 30, this version knows up to 20; update Watchpost', null, 'schema_too_new'))[0]).toBe('die Datenbank hat das Schema 30, diese Version kennt sie bis 20; Watchpost aktualisieren');
  });

  it('has the words of the database that the core has', async () => {
    const { en } = await import('$ui/i18n/en');
    const core = ['watchpost-ops/src/error_map.rs', 'watchpost-store/src/error.rs', 'watchpost-store/src/diagnose.rs', 'watchpost-store/src/pulse.rs'].map((file) => readFileSync(`../crates/${file}`, 'utf8').replace(/\\\n\s*/g, '')).join('\n');
    const ours = Object.entries(en).filter(([key]) => /^core_fault\.(?:hint\.)?(?:pg|schema|file\.other|file\.damaged|busy|read_only|no_standby|tls$)/.test(key) && key !== 'core_fault.tls');
    expect(ours.length).toBeGreaterThan(18);
    for (const [, text] of ours) for (const part of text.split(/\{\w+\}/)) expect(core).toContain(part);
  });

  it('leads to a place of the window where the core names a command', async () => {
    expect(await said('en', 'there is no rule "wp.x"', '`watchpost rules list` shows them', 'not_found')).toEqual(['there is no rule "wp.x"', 'The Rules panel lists them']);
  });

  it('has the words that the core has', () => {
    const files = ['perform/rules.rs', 'perform/enrichment.rs', 'perform/audit_export.rs', 'perform/suppressions.rs', 'console.rs', 'error_map.rs', 'door.rs', 'locking.rs'].map((file) => `watchpost-ops/src/${file}`);
    const core = [...files, 'watchpost-store/src/error.rs'].map((file) => readFileSync(`../crates/${file}`, 'utf8').replace(/\\\n\s*/g, '')).join('\n');
    for (const words of [
      '`watchpost rules list` shows them',
      '`watchpost connect list` shows them',
      '`watchpost threat list` shows them',
      '`watchpost audit verify` says more',
      'the disk of the database is full; nothing was written',
      'the file of the database cannot be read or written: ',
      'this login may not do that at the database: ',
      'the server of the database takes no changes, as a standby or by its settings; nothing was written: ',
      'somebody else\'s transaction holds what this one has to change, and did not end in time; nothing was written: ',
      'the database was lost while it made sure of this, so whether it was done is not known: ',
      'nothing was changed; look at the disk (space, quota, errors) and at the rights to the file and its folder',
      'when the database is back, look before you try again: if it was done, the audit trail has it',
      'the role {role} may not ',
      'the window is locked',
    ]) {
      expect(core, words).toContain(words);
    }
  });
});
