// Why an incident is more severe than each of its findings.

import type { IncidentDetail, Severity } from '$ui/generated/model';
import { ruleTitle } from '$ui/domain/rule/title';
import { t, word } from '$ui/i18n';
import { count } from '$ui/shared/format/number';
import { SEVERITIES } from './filter';

const GROWN = /^Severity from \w+ to \w+ by (\d+) findings$/;
const ESCALATED = /^Severity from \w+ to \w+: /;

/** The later in the list, the less severe. */
function worst(severities: readonly Severity[]): number {
  return severities.reduce((least, severity) => Math.min(least, SEVERITIES.indexOf(severity)), SEVERITIES.length);
}

/** A sentence where the severity is above that of every finding that is shown, else nothing. */
export function severityReason({ incident, why, timeline }: Pick<IncidentDetail, 'incident' | 'why' | 'timeline'>): string | null {
  const findings = worst(why.map((hit) => hit.newest.severity));
  if (findings === SEVERITIES.length || SEVERITIES.indexOf(incident.severity) >= findings) return null;
  const values = { severity: word('severity', incident.severity), worst: word('severity', SEVERITIES[findings] ?? incident.severity) };
  const raised = timeline.findLast((entry) => entry.text.includes(` to ${incident.severity}`) && (entry.kind === 'severity' || entry.kind === 'escalated'));
  if (raised === undefined) return t('severity_reason.unknown', values);
  const many = GROWN.exec(raised.text)?.[1];
  if (raised.kind === 'severity' && many !== undefined) return t('severity_reason.many', { ...values, n: count(Number(many)) });
  if (raised.kind === 'escalated') return t('severity_reason.person', { ...values, who: raised.actor, reason: raised.text.replace(ESCALATED, '') });
  const rule = raised.text.replace(/^.* by /, '');
  return t('severity_reason.finding', { ...values, what: ruleTitle(rule, why.find((hit) => hit.newest.rule_id === rule)?.newest.rule_title) });
}
