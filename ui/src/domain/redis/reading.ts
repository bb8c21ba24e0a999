// A metric as people read it: its name beside its value.

import type { Metric } from '$ui/generated/model';
import { t, titled } from '$ui/i18n';
import { withUnit } from '$ui/shared/format/number';

/** Metrics that are a question, with 1 for yes; the sum over the nodes of a cluster is a number again. */
const QUESTIONS: readonly string[] = ['memory_unlimited', 'swapped', 'sentinel_no_quorum'];

function isAnswered({ name, value }: Metric): boolean {
  return QUESTIONS.includes(name) && (value === 0 || value === 1);
}

/** Its name; a question that is asked in the negative is told as the fact that it is about. */
export function naming(metric: Metric): string {
  return metric.name === 'memory_unlimited' && isAnswered(metric) ? t('redis.limit') : titled('metric', metric);
}

export function reading(metric: Metric): string {
  if (!isAnswered(metric)) return withUnit(metric.value, metric.unit);
  if (metric.name === 'memory_unlimited') return t(metric.value === 1 ? 'redis.limit.none' : 'redis.limit.set');
  return t(metric.value === 1 ? 'value.yes' : 'value.no');
}
