// An incident as Markdown: for a ticket, a chat or a wiki. What somebody else wrote is never markup there either.

import type { Event, Finding, IncidentDetail } from '$ui/generated/model';
import { findingText } from '$ui/domain/rule/finding-text';
import { ruleTitle } from '$ui/domain/rule/title';
import { t, word } from '$ui/i18n';
import { count } from '$ui/shared/format/number';
import { offsetName, stamp, toldTime } from '$ui/shared/format/time';
import { visible } from '$ui/shared/text/visible';
import type { Zone } from '$ui/state/prefs.svelte';
import { counterShown } from './counter';
import { timelineLine } from './timeline-line';
import { incidentTitle } from './title';

/** Rows of a list at most; the page has the others. */
const ROWS = 20;
const LINE_MAX = 300;
const MATCH_MAX = 2_048;

/** As plain text of one line: hidden characters are shown, and marks of Markdown and HTML are letters. */
export function plain(text: string, max = LINE_MAX): string {
  return visible(text, max).replace(/[\\`*_[\]<>#|~&]/g, '\\$&');
}

/** As code of one line, whatever ticks are in it. */
export function code(text: string, max = LINE_MAX): string {
  const shown = visible(text, max);
  const longest = Math.max(0, ...[...shown.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  const pad = /^[ `]|[ `]$/.test(shown) || shown === '' ? ' ' : '';
  return `${fence}${pad}${shown}${pad}${fence}`;
}

/** A line of a note: people write Markdown there, and nothing that loads or runs. */
function written(text: string): string {
  return visible(text, 10_000).replace(/<|!(?=\[)/g, '\\$&');
}

function line(event: Event): string {
  if (event.http !== null) return `${event.http.method} ${event.http.path}${event.http.query === null ? '' : `?${event.http.query}`}`;
  return [event.action, event.resource].filter((part) => part !== null).join(' ') || event.type;
}

function why(finding: Finding, times: number): string[] {
  const out = [`### ${plain(ruleTitle(finding.rule_id, finding.rule_title))}`, '', `${code(finding.rule_id)} v${finding.rule_version}, ${t('why.count', { n: count(times) })}. ${plain(findingText(finding), 600)}`.trimEnd(), ''];
  if (finding.matched !== null) {
    out.push(`- ${t('why.field')}: ${code(finding.matched.field)}`);
    for (const layer of finding.matched.layers) {
      out.push(`- ${word('decoder', layer.decoder)}: ${code(layer.text, MATCH_MAX)}`);
      if (layer.span !== null) out.push(`  - ${t('markdown.match')}: ${code([...layer.text].slice(...layer.span).join(''), MATCH_MAX)}`);
    }
  }
  const counter = counterShown(finding);
  if (counter !== null) out.push(`- ${plain(counter.text)}`);
  if (finding.attack.length > 0) out.push(`- ${t('why.attack')}: ${finding.attack.map((technique) => plain(technique)).join(', ')}`);
  return [...out, ''];
}

/** The incident's page, as far as it is loaded. */
export function incidentMarkdown(detail: IncidentDetail, zone: Zone): string {
  const { incident } = detail;
  const at = (time: string): string => `${stamp(time, zone)} ${offsetName(zone, new Date(time))}`;
  const part = (title: string, rows: readonly string[], all = rows.length): string[] =>
    rows.length === 0 ? [] : [`## ${title}`, '', ...rows, ...(all > rows.length ? ['', t('markdown.more', { n: count(all - rows.length) })] : []), ''];
  const who = (name: string | null): string => (name === null ? t('incidents.nobody') : plain(name));
  const facts = [
    [t('incidents.col.severity'), word('severity', incident.severity)],
    [t('incidents.col.status'), word('status', incident.status)],
    [t('incident.verdict'), word('verdict', incident.verdict)],
    [t('incident.entity'), `${word('entity', incident.entity.kind)} ${code(incident.entity.value)}`],
    [t('incident.assignee'), who(incident.assignee)],
    [t('incident.first_seen'), at(incident.first_seen)],
    [t('incident.last_seen'), at(incident.last_seen)],
    [t('incident.events'), count(incident.event_count)],
    [t('incident.findings'), count(incident.finding_count)],
    [t('incident.risk_confidence'), `${incident.risk} · ${incident.confidence}`],
  ];
  const events = detail.evidence.slice(0, ROWS).map(({ event }) => {
    const from = [event.source_ip, event.actor].filter((part) => part !== null).map((part) => code(part, 80));
    return `- ${at(event.at)}: ${code(line(event))}${from.length === 0 ? '' : ` (${from.join(', ')})`}${typeof event.http?.status === 'number' ? ` → ${event.http.status}` : ''}`;
  });
  const known = detail.why.map((hit) => hit.newest);
  const timeline = detail.timeline.slice(-ROWS).map((entry) => `- ${at(entry.at)}: **${entry.actor === 'engine' ? t('timeline.engine') : plain(entry.actor, 80)}** ${plain(timelineLine(entry, known, (time) => toldTime(time, zone, true)), 600)}`);
  const notes = detail.notes.flatMap((note) => [`**${plain(note.author, 80)}**, ${at(note.at)}:`, '', ...note.text.split('\n').map((text) => `> ${written(text)}`), '']);
  return [
    `# #${incident.number} ${plain(incidentTitle(incident))}`,
    '',
    ...facts.map(([name, value]) => `- ${name}: ${value}`),
    '',
    ...part(t('incident.tab.why'), detail.why.flatMap((hit) => why(hit.newest, hit.count))),
    ...part(t('incident.tab.evidence'), events, detail.event_rows),
    ...part(t('incident.tab.entities'), detail.entities.slice(0, ROWS).map((row) => `- ${word('entity', row.entity.kind)} ${code(row.entity.value)}: ${t('entities.events', { n: count(row.events) })}`), detail.entity_rows),
    ...part(t('incident.tab.timeline'), timeline, detail.timeline.length),
    ...part(t('incident.tab.notes'), notes),
  ]
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim()
    .concat('\n');
}
