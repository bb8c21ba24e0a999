import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Incident } from '$ui/generated/model';

const TITLES: readonly Pick<Incident, 'title' | 'family' | 'entity'>[] = [
  { title: 'SQL injection from 203.0.113.7', family: 'sqli', entity: { kind: 'ip', value: '203.0.113.7' } },
  { title: 'Privilege escalation against user anna', family: 'privilege_escalation', entity: { kind: 'user', value: 'anna' } },
  { title: 'Active at an unusual hour: anna', family: 'account_takeover', entity: { kind: 'user', value: 'anna' } },
  { title: 'Slow commands of Redis over its line', family: 'redis_health', entity: { kind: 'endpoint', value: 'Slow commands on redis:6379' } },
  { title: 'What a rule of the house says: anna', family: 'custom', entity: { kind: 'user', value: 'anna' } },
  { title: 'Something else', family: 'sqli', entity: { kind: 'ip', value: '203.0.113.7' } },
];

async function said(language: string): Promise<string[]> {
  localStorage.setItem('watchpost.language', language);
  const { loadLanguage } = await import('$ui/i18n');
  await loadLanguage();
  const { incidentTitle } = await import('./title');
  return TITLES.map(incidentTitle);
}

beforeEach(() => {
  localStorage.clear();
  vi.resetModules();
});

// The next file speaks English.
afterAll(() => {
  localStorage.clear();
  vi.resetModules();
});

describe('the title of an incident', () => {
  it('is in English what the engine wrote', async () => {
    expect(await said('en')).toEqual(TITLES.map(({ title }) => title));
  });

  it('is said in German, and what is not known stays', async () => {
    expect(await said('de')).toEqual([
      'SQL-Injektion von 203.0.113.7',
      'Rechteausweitung gegen Benutzer anna',
      'Zu ungewöhnlicher Stunde aktiv: anna',
      '„Langsame Befehle“ von Redis über der Linie',
      'What a rule of the house says: anna',
      'Something else',
    ]);
  });
});
