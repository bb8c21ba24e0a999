import { afterAll, describe, expect, it, vi } from 'vitest';

async function texts(language: string) {
  vi.resetModules();
  localStorage.setItem('watchpost.language', language);
  const { loadLanguage } = await import('$ui/i18n');
  await loadLanguage();
  return import('./finding-text');
}

// The next file speaks English.
afterAll(() => {
  localStorage.clear();
  vi.resetModules();
});

/** Sentences as the engine writes them. */
const SAID: readonly [rule_id: string, summary: string, german: string][] = [
  ['wp.brute.source', '1200 failed logins in 5 minutes (203.0.113.7)', '1.200 fehlgeschlagene Anmeldungen in 5 min (203.0.113.7)'],
  ['wp.brute.spraying', '4096 or more different users in an hour (203.0.113.7)', '4.096 oder mehr verschiedene Benutzer in 1 h (203.0.113.7)'],
  ['wp.priv.admin', 'administrator rights given to mara (role_change, by root)', 'Administratorrechte vergeben an mara (role_change, durch root)'],
  ['wp.profile.hour', 'yusuf is active at 03:12 UTC on a weekday; usual is 08:00 to 12:00, 13:00 to 18:00', 'yusuf ist an einem Werktag um 03:12 UTC aktiv; üblich: 08:00 bis 12:00, 13:00 bis 18:00'],
  ['wp.profile.country', 'yusuf comes from BR for the first time; usual is DE, CH', 'yusuf kommt zum ersten Mal aus BR; üblich: DE, CH'],
  ['wp.profile.device', 'yusuf logs in with curl/8 for the first time, in a network that is new too; usual is Firefox', 'yusuf meldet sich zum ersten Mal mit curl/8 an, in einem Netz, das auch neu ist; üblich: Firefox'],
  ['wp.travel.impossible', 'yusuf was in Bern, CH, and 2 hours later in Lima, PE: 10512 km away', 'yusuf war in Bern, CH und 2 h später in Lima, PE: 10.512 km entfernt'],
  ['wp.session.network', 'the session of an unknown user goes on with another network after a minute: 203.0.113.0/24', 'die Sitzung von einem unbekannten Benutzer geht nach 1 min aus einem anderen Netz weiter: 203.0.113.0/24'],
  ['wp.threat.listed', 'The address 203.0.113.7 is named by the threat list ours (203.0.113.0/24) and was seen at 2026-11-20T12:00:00Z', 'Die Adresse 203.0.113.7 steht in der Bedrohungsliste ours (203.0.113.0/24) und wurde am 2026-11-20T12:00:00Z gesehen'],
  ['wp.chain.stages', '2 stages of an attack by 203.0.113.7: Scanning [reconnaissance], then SQL injection [exploitation]', '2 Stufen eines Angriffs von 203.0.113.7: Scan [Erkundung], dann SQL-Injektion [Ausnutzung]'],
  ['wp.redis.memory', 'used memory 114 % of maxmemory (critical from 85 %) since 10:02 UTC', 'Speicher belegt: 114\u00A0% von maxmemory (kritisch ab 85\u00A0%) seit 10:02 UTC'],
  ['wp.brute.source', 'a text of another shape', 'a text of another shape'],
];

describe('what a finding says', () => {
  it('is the sentence of the engine in English', async () => {
    const { findingText } = await texts('en');
    expect(SAID.map(([rule_id, summary]) => findingText({ rule_id, summary }))).toEqual(SAID.map(([, summary]) => summary));
  });

  it('is said in German', async () => {
    const { findingText } = await texts('de');
    expect(SAID.map(([rule_id, summary]) => findingText({ rule_id, summary }))).toEqual(SAID.map(([, , german]) => german));
  });

  it('leaves out the title that stands above it', async () => {
    const { findingText, findingLine } = await texts('en');
    expect(findingText({ rule_id: 'wp.sqli.select', summary: 'SELECT where a value belongs in http.query.q: select 1' })).toBe('In http.query.q: select 1');
    const own = { rule_id: 'shop.refunds', rule_title: 'Many refunds', summary: 'Many refunds: 12 in 300 s (anna)' };
    expect([findingText(own), findingLine(own)]).toEqual(['12 in 5 min (anna)', 'Many refunds: 12 in 5 min (anna)']);
    expect(findingText({ ...own, summary: 'Many refunds' })).toBe('');
  });
});
