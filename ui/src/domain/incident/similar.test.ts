import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { SimilarReason } from '$ui/generated/model';

const REASONS: readonly SimilarReason[] = [
  { kind: 'entity', value: 'ip' },
  { kind: 'rule', value: 'wp.sqli.tautology' },
  { kind: 'attack', value: '/search' },
  { kind: 'network', value: '24' },
  { kind: 'agent', value: 'sqlmap/1.8' },
];

async function said(language: string): Promise<string[]> {
  localStorage.setItem('watchpost.language', language);
  const { loadLanguage } = await import('$ui/i18n');
  await loadLanguage();
  const { likeness } = await import('./similar');
  return REASONS.map(likeness);
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

describe('why an incident resembles another one', () => {
  it('is said in English', async () => {
    expect(await said('en')).toEqual(['the same IP address', 'the same rule: Condition that is always true or false', 'the same attack on /search', 'the same /24 network', 'the same user agent sqlmap/1.8']);
  });

  it('is said once where all of several have it', async () => {
    const { sharedReasons } = await import('./similar');
    const [entity, rule, attack] = REASONS as [SimilarReason, SimilarReason, SimilarReason];
    const of = (...because: SimilarReason[]): { because: SimilarReason[] } => ({ because });
    expect(sharedReasons([of(entity, rule, attack), of(rule, { ...attack }), of(attack, rule)])).toEqual([rule, attack]);
    expect(sharedReasons([of(rule), of({ ...rule, value: 'another' })])).toEqual([]);
    expect(sharedReasons([of(entity, rule)]), 'one alone says why').toEqual([]);
  });

  it('begins with what the fewest have, and knows what the row above says already', async () => {
    const { tellingReasons } = await import('./similar');
    const [entity, rule, attack, network, agent] = REASONS as [SimilarReason, SimilarReason, SimilarReason, SimilarReason, SimilarReason];
    const of = (...because: SimilarReason[]): { because: SimilarReason[] } => ({ because });
    const told = tellingReasons([of(rule, agent, attack), of(rule, agent, network), of(rule, entity)]);
    expect(told.map((row) => row.map(({ text, again }) => `${again ? '=' : ''}${text}`))).toEqual([
      ['the same attack on /search', 'the same user agent sqlmap/1.8'],
      ['the same /24 network', '=the same user agent sqlmap/1.8'],
      ['the same IP address'],
    ]);
  });

  it('is said in German', async () => {
    expect(await said('de')).toEqual(['dieselbe IP-Adresse', 'dieselbe Regel: Bedingung, die immer wahr oder immer falsch ist', 'derselbe Angriff auf /search', 'dasselbe Netz (/24)', 'derselbe User-Agent sqlmap/1.8']);
  });
});
