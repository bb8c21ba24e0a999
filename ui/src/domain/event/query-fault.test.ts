import { afterAll, describe, expect, it, vi } from 'vitest';
import type { QueryProblem } from '$ui/generated/model';
import { en } from '$ui/i18n/en';

async function words(language: string) {
  vi.resetModules();
  localStorage.setItem('watchpost.language', language);
  const { loadLanguage } = await import('$ui/i18n');
  await loadLanguage();
  return import('./query-fault');
}

// The next file speaks English.
afterAll(() => {
  localStorage.clear();
  vi.resetModules();
});

describe('what is wrong with a query', () => {
  const problems: QueryProblem[] = [{ kind: 'no_field', text: 'statsu' }, { kind: 'no_value', field: 'status', text: 'abc' }, { kind: 'too_many', most: 64 }, { kind: 'not_compared', field: 'ip', sign: '>' }, { kind: 'no_end' }];

  it('is said in the language of the window', async () => {
    const english = await words('en');
    expect(problems.map((problem) => english.faultText({ problem, at: 0 }))).toEqual(['There is no field “statsu”', '“abc” is no value of the field “status”', 'A query has at most 64 conditions', 'The field “ip” is not compared by >', 'This quotation has no end']);
    const german = await words('de');
    expect(problems.map((problem) => german.faultText({ problem, at: 0 }))).toEqual(['Ein Feld „statsu“ gibt es nicht', '„abc“ ist kein Wert des Feldes „status“', 'Eine Suche hat höchstens 64 Bedingungen', 'Das Feld „ip“ wird nicht mit > verglichen', 'Dieses Anführungszeichen wird nicht geschlossen']);
  });

  it.each([
    ['time:gestern', 5, 'time'],
    ['ip:192.0.2.1 -time:>=gestern', 21, 'time'],
    ['time:(gestern or 2026)', 6, 'time'],
    ['source.ip:x y', 0, 'at'],
  ])('names the field of %s as it was typed', async (query, at, field) => {
    const { faultText } = await words('de');
    expect(faultText({ problem: { kind: 'no_value', field: 'at', text: 'gestern' }, at }, [...query])).toBe(`„gestern“ ist kein Wert des Feldes „${field}“`);
  });

  it('says what could stand there, and leaves examples as they are typed', async () => {
    const { expectedText } = await words('de');
    expect(['text with *', 'a condition right after it', '>=500', '203.0.113.0/24', ')'].map(expectedText)).toEqual(['Text mit *', 'eine Bedingung gleich danach', null, null, null]);
  });

  it('knows the words of the language as it says them', () => {
    const [parser = ''] = Object.values(import.meta.glob<string>('../../../../crates/watchpost-model/src/query/parser.rs', { query: '?raw', import: 'default', eager: true }));
    const known = Object.entries(en).filter(([key]) => key.startsWith('search.expects.'));
    expect(known.filter(([, text]) => !parser.includes(JSON.stringify(text)))).toEqual([]);
  });
});
