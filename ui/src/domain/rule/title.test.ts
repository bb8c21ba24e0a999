import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { en } from '$ui/i18n/en';

function files(): string[] {
  return Object.values(import.meta.glob<string>('../../../../crates/watchpost-detect/rules/*.yml', { query: '?raw', import: 'default', eager: true }));
}

/** Id and title of each rule that comes with Watchpost, as its file has them. */
function shipped(): [string, string][] {
  return files()
    .flatMap((file) => file.split(/^---$/m))
    .flatMap((rule) => {
      const [id, title] = [/^id: (.+)$/m.exec(rule)?.[1], /^title: (.+)$/m.exec(rule)?.[1]];
      return id === undefined || title === undefined ? [] : [[id, title.replace(/^'(.*)'$/, '$1')] as [string, string]];
    });
}

async function titles(language: string) {
  localStorage.setItem('watchpost.language', language);
  const { loadLanguage } = await import('$ui/i18n');
  await loadLanguage();
  return import('./title');
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

describe('the title of a rule', () => {
  it('is in the catalogue as its file has it', () => {
    const rules = shipped();
    expect(rules.length).toBeGreaterThan(150);
    const known: Readonly<Record<string, string>> = en;
    expect(rules.filter(([id, title]) => known[`rule_title.${id}`] !== title)).toEqual([]);
    const ids = new Set([...rules.map(([id]) => id), 'wp.threat.listed']);
    const others = Object.keys(en).filter((key) => key.startsWith('rule_title.wp.') && !ids.has(key.slice('rule_title.'.length)));
    expect(others, 'of no rule').toEqual([]);
  });

  it('stands beside what the rule counts, as its file has it', () => {
    const counts = files()
      .flatMap((file) => file.split(/^---$/m))
      .flatMap((rule) => {
        const [id, what] = [/^id: (.+)$/m.exec(rule)?.[1], /^ {2}what: (.+)$/m.exec(rule)?.[1]];
        return id === undefined || what === undefined ? [] : [[`rule_counts.${id}`, what]];
      });
    expect(counts.length).toBeGreaterThan(40);
    expect(Object.fromEntries(Object.entries(en).filter(([key]) => key.startsWith('rule_counts.')))).toEqual(Object.fromEntries(counts));
  });

  it('is in the language of the window', async () => {
    const { ruleTitle } = await titles('de');
    expect(ruleTitle('wp.sqli.union', 'UNION SELECT appended')).toBe('UNION SELECT angehängt');
    expect(ruleTitle('wp.redis.slow_commands_per_min', 'Redis: Slow commands over its line')).toBe('„Langsame Befehle“ von Redis über der Linie');
  });

  it('is its own where the rule is not ours, and its id where it has none', async () => {
    const { ruleTitle } = await titles('de');
    expect(ruleTitle('wp.sqli.union', 'My own words')).toBe('My own words');
    expect([ruleTitle('shop.refunds', 'Many refunds'), ruleTitle('shop.refunds'), ruleTitle('wp.redis.other', 'Redis: Other over its line')]).toEqual(['Many refunds', 'shop.refunds', 'Redis: Other over its line']);
  });
});
