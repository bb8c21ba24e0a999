// A line of an incident's timeline in the language of the window: the engine writes it in English, by its kind.

import type { Finding, TimelineEntry } from '$ui/generated/model';
import { findingLine } from '$ui/domain/rule/finding-text';
import { ruleTitle } from '$ui/domain/rule/title';
import { spoken, t, word } from '$ui/i18n';
import { alertText } from '$ui/domain/redis/alert-text';
import { refusalText } from '$ui/domain/refusal';
import { count, duration } from '$ui/shared/format/number';
import { toldTime } from '$ui/shared/format/time';
import { prefs } from '$ui/state/prefs.svelte';

/** A time that the core wrote into a line, as the window shows it. */
function shownTime(text: string): string {
  return toldTime(text, prefs.zone);
}

/**
 * The line as it is shown; `findings` are those that are known, and tell what rules of one's own are called, `time` says the
 * times in it.
 */
export function timelineLine({ actor, kind, text }: Pick<TimelineEntry, 'actor' | 'kind' | 'text'>, findings: readonly Finding[], time: (text: string) => string = shownTime): string {
  const line = actor === 'engine' ? engineLine(kind, text, findings) : personLine(kind, text);
  // What somebody wrote is theirs.
  return line === text && kind !== 'note' ? fixedLine(kind, text, actor, time) : line;
}

/** Lines of one form, whoever did it: blocks, containments, merges, escalations, what the response did. */
function fixedLine(kind: string, text: string, actor: string, time: (text: string) => string): string {
  const of = (name: string) => (value: string) => word(name, value);
  return spoken(`timeline_line.${kind}`, text, {
    from: of('status'),
    to: of('status'),
    verdict: of('verdict'),
    pause: (reason) => word('pause', reason.replaceAll(' ', '_')),
    // Why an alert on Redis ended.
    why: (why) => (actor === 'engine' ? alertText(why) : why),
    doing: (doing) => spoken('action_doing', doing),
    refusal: (refusal) => refusalText(refusal, time),
    until: time,
  });
}

function engineLine(kind: string, text: string, findings: readonly Finding[]): string {
  switch (kind) {
    case 'opened': {
      const line = text.replace(/^Opened by /, '');
      return line === text ? text : t('timeline.opened_by', { rule: foundLine(line, findings) });
    }
    case 'finding':
      return foundLine(text, findings);
    case 'severity':
      return severityLine(text, findings);
    case 'resume':
      return text === 'Clocks run again: the severity rose' ? t('timeline.resumed') : text;
    case 'linked':
      return linkedLine(text);
    default:
      return text;
  }
}

function linkedLine(text: string): string {
  const [, step] = /^Step of the chain: incident (\d+)$/.exec(text) ?? [];
  if (step !== undefined) return t('timeline.linked.step', { number: step });
  const [, chain] = /^Step of the attack chain of incident (\d+)$/.exec(text) ?? [];
  return chain === undefined ? text : t('timeline.linked.chain', { number: chain });
}

/** What somebody did, where the line says no more than that, and the reason that they gave. */
function personLine(kind: string, text: string): string {
  if (kind === 'status') {
    const [, from, to] = /^Status from (\w+) to (\w+)$/.exec(text) ?? [];
    if (from !== undefined && to !== undefined) return t('timeline.status', { from: word('status', from), to: word('status', to) });
  }
  if (kind === 'assigned') {
    const [, who] = /^Assigned to (.*)$/s.exec(text) ?? [];
    if (who !== undefined) return who === 'nobody' ? t('timeline.assigned.nobody') : t('timeline.assigned', { who });
  }
  if (kind === 'verdict') {
    const [, verdict, reason] = /^Verdict (\w+): (.*)$/s.exec(text) ?? [];
    if (verdict !== undefined && reason !== undefined) return t('timeline.verdict', { verdict: word('verdict', verdict), reason });
  }
  if (kind === 'resume') {
    const [, minutes] = /^Clocks run again after (\d+) min$/.exec(text) ?? [];
    if (minutes !== undefined) return t('timeline.resumed.after', { time: duration(Number(minutes) * 60) });
  }
  if (kind === 'escalated') {
    const [, from, to, reason] = /^Severity from (\w+) to (\w+): (.*)$/s.exec(text) ?? [];
    if (from !== undefined && to !== undefined && reason !== undefined) return t('timeline.escalated', { from: word('severity', from), to: word('severity', to), reason });
  }
  return text;
}

/** `Severity from high to critical by wp.sqli.stacked`, or `by 100 findings`. */
function severityLine(text: string, findings: readonly Finding[]): string {
  const [, before, after, by] = /^Severity from (\w+) to (\w+) by (\S+(?: findings)?)$/.exec(text) ?? [];
  if (before === undefined || after === undefined || by === undefined) return text;
  const values = { from: word('severity', before), to: word('severity', after) };
  const n = /^(\d+) findings$/.exec(by)?.[1];
  if (n !== undefined) return t('timeline.severity.many', { ...values, n: count(Number(n)) });
  return t('timeline.severity', { ...values, rule: ruleTitle(by, findings.find((finding) => finding.rule_id === by)?.rule_title) });
}

/** `wp.sqli.union: UNION SELECT appended in http.query.id: ...`: the id of the rule, and what the finding says. */
function foundLine(line: string, findings: readonly Finding[]): string {
  const [, rule_id, summary] = /^(\S+): (.*)$/s.exec(line) ?? [];
  if (rule_id === undefined || summary === undefined) return line;
  const found = findings.find((finding) => finding.rule_id === rule_id && finding.summary === summary) ?? findings.find((finding) => finding.rule_id === rule_id);
  return findingLine({ rule_id, summary, ...(found === undefined ? {} : { rule_title: found.rule_title }) });
}
