import { describe, expect, it } from 'vitest';
import type { Incident, RuleHit, Severity, TimelineEntry } from '$ui/generated/model';
import { severityReason } from './severity-reason';

function reason(severity: Severity, findings: Severity[], kind = '', text = '', actor = 'engine'): string | null {
  const why = findings.map((found) => ({ newest: { severity: found } }) as unknown as RuleHit);
  const timeline = text === '' ? [] : [{ at: '2026-11-20T12:00:00Z', actor, kind, text } as TimelineEntry];
  return severityReason({ incident: { severity } as Incident, why, timeline });
}

describe('why an incident is more severe than its findings', () => {
  it('is not said where a finding is as severe, or none is known', () => {
    expect(reason('high', ['low', 'high'])).toBeNull();
    expect(reason('high', [])).toBeNull();
  });

  it('tells the number of findings, the person with the reason, or the rule', () => {
    expect(reason('critical', ['high', 'medium'], 'severity', 'Severity from high to critical by 100 findings')).toBe('Critical, though each finding is High at most: it rose when there were 100 findings.');
    expect(reason('critical', ['medium'], 'escalated', 'Severity from medium to critical: it is the payroll', 'mara')).toBe('Critical, though each finding is Medium at most: mara raised it. it is the payroll');
    expect(reason('high', ['low'], 'severity', 'Severity from low to high by wp.sqli.clause')).toBe('High by an earlier finding of “ORDER BY, GROUP BY or INTO OUTFILE appended”; the newest of each rule, below, are Low at most.');
  });

  it('says where to look when the line is not among those that are loaded', () => {
    expect(reason('critical', ['high'])).toContain('The timeline says which.');
  });
});
