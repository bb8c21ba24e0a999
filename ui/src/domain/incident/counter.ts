// What a behaviour's counter says: that enough came together, or that something is rare.

import type { Finding } from '$ui/generated/model';
import { ruleCounts } from '$ui/domain/rule/title';
import { t } from '$ui/i18n';
import { count, duration } from '$ui/shared/format/number';

export interface CounterShown {
  text: string;
  /** How much of the bar is filled, with the threshold at a third of it, so that "far over" looks like it; none of what is rare. */
  reach: number | null;
}

/** Rules that tell what is seldom or never seen: below their threshold something is unusual. */
function rare({ rule_id, counter }: Pick<Finding, 'rule_id' | 'counter'>): string | null {
  if (counter === null || counter.seen >= counter.threshold) return null;
  const values = { seen: count(counter.seen), threshold: count(counter.threshold) };
  switch (rule_id) {
    case 'wp.profile.hour':
      return t('why.rare.hour', values);
    case 'wp.profile.country':
      return t('why.rare.country');
    case 'wp.profile.device':
      return t('why.rare.device');
    default:
      return t('why.rare', { ...values, what: ruleCounts(rule_id, counter.what) });
  }
}

export function counterShown(finding: Pick<Finding, 'rule_id' | 'counter'>): CounterShown | null {
  const { counter } = finding;
  if (counter === null) return null;
  const below = rare(finding);
  if (below !== null) return { text: below, reach: null };
  const text = t('why.counter', { seen: count(counter.seen), what: ruleCounts(finding.rule_id, counter.what), window: duration(counter.window_s), threshold: count(counter.threshold) });
  return { text, reach: counter.threshold === 0 ? 1 : Math.min(1, counter.seen / (counter.threshold * 3)) };
}
