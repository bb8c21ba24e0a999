// The value of a metric as people read it.

import type { Metric } from '$ui/generated/model';
import { t } from '$ui/i18n';
import { withUnit } from '$ui/shared/format/number';

/** Metrics that are a question, with 1 for yes; the sum over the nodes of a cluster is a number again. */
const QUESTIONS: readonly string[] = ['memory_unlimited', 'swapped', 'sentinel_no_quorum'];

export function reading(metric: Metric): string {
  if (QUESTIONS.includes(metric.name) && (metric.value === 0 || metric.value === 1)) return t(metric.value === 1 ? 'value.yes' : 'value.no');
  return withUnit(metric.value, metric.unit);
}
