// Why a verdict: the closed lists of the model (`Verdict::causes`), in its order.

import type { Verdict, VerdictCause } from '$ui/generated/model';

export type Judged = Exclude<Verdict, 'unjudged'>;

export const VERDICTS: readonly Judged[] = ['true_positive', 'false_positive', 'benign_true_positive', 'duplicate'];

export const CAUSES: Readonly<Record<Judged, readonly VerdictCause[]>> = {
  true_positive: ['attack_blocked', 'attack_failed', 'attack_succeeded', 'policy_violation', 'other'],
  false_positive: ['normal_traffic', 'bad_pattern', 'low_threshold', 'bad_data', 'other'],
  benign_true_positive: ['pentest', 'own_scanner', 'load_test', 'approved_change', 'user_mistake', 'other'],
  duplicate: ['same_source', 'same_campaign', 'other'],
};

/** Letters that choose a cause, in its order. */
export const CAUSE_KEYS = ['a', 's', 'd', 'f', 'g', 'h'] as const;
