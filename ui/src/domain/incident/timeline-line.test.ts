import { afterAll, describe, expect, it, vi } from 'vitest';
import type { Finding } from '$ui/generated/model';
import { stamp, toldTime } from '$ui/shared/format/time';

async function line(language: string, kind: string, text: string, findings: readonly Partial<Finding>[] = [], actor = 'engine', zone = 'utc'): Promise<string> {
  vi.resetModules();
  localStorage.setItem('watchpost.language', language);
  localStorage.setItem('watchpost.zone', zone);
  const { loadLanguage } = await import('$ui/i18n');
  await loadLanguage();
  const { timelineLine } = await import('./timeline-line');
  return timelineLine({ actor, kind, text }, findings as Finding[]);
}

// The next file speaks English.
afterAll(() => {
  localStorage.clear();
  vi.resetModules();
});

describe('a line of the timeline', () => {
  it('says the title of the rule once', async () => {
    expect(await line('en', 'finding', "wp.sqli.comment: Quotation closed and the rest commented out in http.query.id: '--")).toBe("Quotation closed and the rest commented out in http.query.id: '--");
    expect(await line('en', 'opened', 'Opened by wp.sqli.union: UNION SELECT appended in http.query.id: union select')).toBe('Opened by UNION SELECT appended in http.query.id: union select');
  });

  it('says it in the language of the window', async () => {
    expect(await line('de', 'opened', "Opened by wp.sqli.comment: Quotation closed and the rest commented out in http.query.id: '--")).toBe("Eröffnet durch Anführungszeichen geschlossen und der Rest auskommentiert in http.query.id: '--");
    expect(await line('de', 'finding', 'wp.php.function: Call of a PHP function in http.body, named in a sentence: exec(')).toMatch(/ in http\.body, in einem Satz genannt: exec\($/);
  });

  it('of a rule of the house has its own title', async () => {
    const own = [{ rule_id: 'shop.refunds', rule_title: 'Many refunds', summary: 'Many refunds in details.order: 17' }];
    expect(await line('de', 'finding', 'shop.refunds: Many refunds in details.order: 17', own)).toBe('Many refunds in details.order: 17');
    expect(await line('de', 'finding', 'shop.refunds: Many refunds in details.order: 17')).toBe('shop.refunds: Many refunds in details.order: 17');
  });

  it('about the severity names the rule by its title', async () => {
    expect(await line('en', 'severity', 'Severity from high to critical by wp.sqli.stacked')).toBe('Severity from High to Critical by “Second statement after a semicolon”');
    expect(await line('de', 'severity', 'Severity from low to high by shop.refunds', [{ rule_id: 'shop.refunds', rule_title: 'Many refunds' }])).toBe('Schwere von Niedrig auf Hoch durch „Many refunds“');
    expect(await line('de', 'severity', 'Severity from high to critical by 100 findings')).toBe('Schwere von Hoch auf Kritisch durch 100 Befunde');
  });

  it('about what a person did is in the language of the window, with their own reason', async () => {
    expect(await line('de', 'escalated', 'Severity from low to high: the payroll', [], 'mara')).toBe('Schwere von Niedrig auf Hoch: the payroll');
    expect(await line('de', 'status', 'Status from open to investigating', [], 'mara')).toBe('Status von Offen auf In Arbeit');
    expect(await line('de', 'assigned', 'Assigned to teo', [], 'mara')).toBe('Zugewiesen: teo');
    expect(await line('de', 'verdict', 'Verdict false_positive: our own scanner', [], 'mara')).toMatch(/^Urteil [^_]+: our own scanner$/);
    expect(await line('de', 'linked', 'Step of the chain: incident 12')).toBe('Schritt der Kette: Vorfall #12');
  });

  it('about blocks, containments, merges, escalations and the response is in the language of the window', async () => {
    const said: readonly [kind: string, actor: string, text: string, german: string][] = [
      ['block', 'mara', 'Blocked 203.0.113.7 until 2026-11-22 14:05 UTC', '203.0.113.7 gesperrt bis 2026-11-22 14:05'],
      ['block', 'engine', 'Took back the block of 2001:db8::/32', 'Sperre von 2001:db8::/32 zurückgenommen'],
      ['contain', 'mara', 'Took back: restricted user a.b (c)', 'Zurückgenommen: Einschränkung des Benutzers a.b (c)'],
      ['merged', 'mara', 'Incident 12 merged in: the same: attack', 'Vorfall #12 in diesen überführt: the same: attack'],
      ['escalated', 'mara', 'Escalated to teo: the payroll', 'Eskaliert an teo: the payroll'],
      ['pause', 'mara', 'Clocks stopped, waiting for vendor: a patch', 'Uhren angehalten, Wartet auf den Hersteller: a patch'],
      ['status', 'mara', 'Status from resolved to reopened: again', 'Status von Gelöst auf Wieder offen: again'],
      ['response', 'engine', 'Did not block 10.0.0.7: 10.0.0.7 overlaps 10.0.0.0/8 of the allowlist (office)', 'Unterlassen: 10.0.0.7 sperren; 10.0.0.7 überschneidet sich mit 10.0.0.0/8 der Ausnahmen (office)'],
      ['status', 'engine', 'Status from open to resolved: used memory 50 % of maxmemory since 10:02 UTC: below its lines again', 'Status von Offen auf Gelöst: Speicher belegt: 50\u00A0% von maxmemory seit 10:02 UTC wieder unter den Linien'],
      ['response', 'engine', 'Would restrict user mara (dry run, "brute")', 'Im Probelauf: Benutzer mara einschränken ("brute")'],
      ['note', 'mara', 'Blocked 203.0.113.7 until tomorrow', 'Blocked 203.0.113.7 until tomorrow'],
    ];
    for (const [kind, actor, text, german] of said) expect(await line('de', kind, text, [], actor)).toBe(german);
    expect(await line('en', 'merged', 'Incident 12 merged in: the same', [], 'mara')).toBe('Incident 12 merged in: the same');
  });

  it('says times in the zone of the window, as its other times', async () => {
    const local = stamp('2026-11-24T01:31:00Z', 'local', 'minute');
    for (const [kind, actor, text, english] of [
      ['block', 'mara', 'Blocked 203.0.113.13 until 2026-11-24 01:31 UTC', 'Blocked 203.0.113.13 until'],
      ['block', 'engine', 'Blocked 203.0.113.13 until 2026-11-24 01:31 UTC', 'Blocked 203.0.113.13 until'],
      ['contain', 'engine', 'Revoked session s-1 until 2026-11-24 01:31 UTC', 'Revoked session s-1 until'],
      ['response', 'engine', 'Did not block 203.0.113.13: in force already until 2026-11-24 01:31 UTC', 'Did not block 203.0.113.13: in force already until'],
    ] as const) {
      expect(await line('en', kind, text, [], actor, 'local')).toBe(`${english} ${local}`);
      expect(await line('en', kind, text, [], actor, 'utc')).toBe(`${english} 2026-11-24 01:31`);
      expect(await line('de', kind, text, [], actor, 'local')).toContain(local);
    }
    expect(await line('en', 'block', 'Blocked 203.0.113.13 until 2026-99-99 01:31 UTC', [], 'mara', 'local')).toBe('Blocked 203.0.113.13 until 2026-99-99 01:31 UTC');
  });

  it('names the zone where it is read elsewhere', () => {
    expect(toldTime('2026-11-24 01:31 UTC', 'utc', true)).toBe('2026-11-24 01:31 UTC');
    expect(toldTime('2026-11-24 01:31:07 UTC', 'local')).toBe(stamp('2026-11-24T01:31:07Z', 'local'));
    expect(toldTime('tomorrow', 'utc', true)).toBe('tomorrow');
  });

  it('of a person is what they wrote', async () => {
    expect(await line('de', 'note', 'wp.sqli.union: UNION SELECT appended in id: x', [], 'mara')).toBe('wp.sqli.union: UNION SELECT appended in id: x');
  });
});
