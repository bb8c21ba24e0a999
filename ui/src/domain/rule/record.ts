// What the verdicts say of a rule.

import type { RuleFeedback, RuleRow } from '$ui/generated/model';
import type { Tone } from '$ui/shared/feedback/status-pill.svelte';
import { ruleTitle } from './title';

export type RuleState = 'all' | 'on' | 'off' | 'adjusted' | 'own';

export interface RuleFilter {
  text: string;
  family: string;
  kind: string;
  state: RuleState;
}

export function matches(row: RuleRow, filter: RuleFilter): boolean {
  const text = filter.text.trim().toLowerCase();
  if (text !== '' && !row.id.toLowerCase().includes(text) && !`${row.title} ${ruleTitle(row.id, row.title)}`.toLowerCase().includes(text)) return false;
  if (filter.family !== '' && row.family !== filter.family) return false;
  if (filter.kind !== '' && row.kind !== filter.kind) return false;
  switch (filter.state) {
    case 'all':
      return true;
    case 'on':
      return row.enabled;
    case 'off':
      return !row.enabled;
    case 'adjusted':
      return row.adjusted;
    case 'own':
      return !row.embedded;
  }
}

export function adviceTone(feedback: RuleFeedback): Tone {
  switch (feedback.advice) {
    case 'keep':
      return 'ok';
    case 'tune':
      return 'warn';
    case 'retire':
      return 'bad';
    case null:
      return 'quiet';
  }
}
