// What a finding says, in the language of the window. The engine writes it in English: the title of the rule and where it
// matched, or a sentence of fixed shape (see finding-sentence.ts). A text of another shape stays as it is.

import type { Finding } from '$ui/generated/model';
import { t } from '$ui/i18n';
import { en } from '$ui/i18n/en';
import { findingSentence } from './finding-sentence';
import { ruleTitle } from './title';

const SHIPPED: Readonly<Record<string, string>> = en;

type Told = Pick<Finding, 'rule_id' | 'summary'> & { rule_title?: string };

/** Where a signature matched and what: after the title of its rule, which stands before. */
function matchedText(title: string, summary: string): string | null {
  const begin = `${title} in `;
  if (!summary.startsWith(begin)) return null;
  const where = summary.slice(begin.length);
  const named = /^(\S+), named in a sentence: (.*)$/s.exec(where);
  return named === null ? where : t('finding.named', { field: named[1] ?? '', text: named[2] ?? '' });
}

function titleOf({ rule_id, rule_title }: Told): string | undefined {
  return rule_title ?? SHIPPED[`rule_title.${rule_id}`];
}

/** What stands below the title of the rule, and so does not say it again; nothing where that is all. */
export function findingText(finding: Told): string {
  const title = titleOf(finding);
  if (finding.summary === title) return '';
  const where = title === undefined ? null : matchedText(title, finding.summary);
  return where === null ? findingSentence(finding.rule_id, title, finding.summary) : t('finding.in', { where });
}

/** The same for a line of its own, with the title of the rule. */
export function findingLine(finding: Told): string {
  const title = titleOf(finding);
  const rule = ruleTitle(finding.rule_id, finding.rule_title);
  if (finding.summary === title) return rule;
  const where = title === undefined ? null : matchedText(title, finding.summary);
  return where === null ? `${rule}: ${findingText(finding)}` : t('finding.line', { rule, where });
}
