// Titles of rules in the language of the window.

import { t, titled, word } from '$ui/i18n';
import { en } from '$ui/i18n/en';

const SHIPPED: Readonly<Record<string, string>> = en;

/** The title of a rule that comes with Watchpost in the language of the window; of any other its own title, or its id where that is all there is. */
export function ruleTitle(id: string, title?: string): string {
  const shipped = SHIPPED[`rule_title.${id}`];
  // A rule of one's own may have an id of ours; what it is called says its file.
  if (shipped !== undefined && (title === undefined || title === shipped)) return word('rule_title', id);
  const measure = /^wp\.redis\.([a-z0-9_]+)$/.exec(id)?.[1];
  if (measure === undefined) return title ?? id;
  const name = measure === 'memory' ? 'memory_used_ratio' : measure;
  return `metric.${name}` in SHIPPED ? t('rule_title.redis', { metric: titled('metric', { name, title: name }) }) : (title ?? id);
}

/** What a rule that comes with Watchpost counts, in the language of the window; of any other as it says itself. */
export function ruleCounts(id: string, what: string): string {
  return SHIPPED[`rule_counts.${id}`] === what ? word('rule_counts', id) : what;
}

/** By its English title, where that is all that is known of a rule. */
export function translatedRule(title: string): string {
  const key = Object.keys(SHIPPED).find((known) => known.startsWith('rule_title.wp.') && SHIPPED[known] === title);
  return key === undefined ? title : ruleTitle(key.slice('rule_title.'.length));
}
