// What of Redis is over its line, and what is not any more but has an alert that stands.

import type { HealthAlert, HealthPolicy, HealthVerdict, Incident, Metric } from '$ui/generated/model';
import { t, titled } from '$ui/i18n';
import { withUnit } from '$ui/shared/format/number';
import { stamp } from '$ui/shared/format/time';
import { visible } from '$ui/shared/text/visible';
import type { Zone } from '$ui/state/prefs.svelte';
import { alertText } from './alert-text';
import { reading } from './reading';

export interface Standing {
  /** Name of the metric. */
  name: string;
  /** As it was measured last; absent when it is measured no more. */
  metric: Metric | null;
  alert: HealthAlert | null;
}

/** In the order of the metrics; alerts on what is not measured any more come last. */
export function standing(metrics: readonly Metric[], alerts: readonly HealthAlert[]): Standing[] {
  const of = (name: string): HealthAlert | null => alerts.find((alert) => alert.metric === name) ?? null;
  const measured = metrics.filter((metric) => isOver(metric) || of(metric.name) !== null).map((metric): Standing => ({ name: metric.name, metric, alert: of(metric.name) }));
  const gone = alerts.filter((alert) => metrics.every((metric) => metric.name !== alert.metric));
  return [...measured, ...gone.map((alert): Standing => ({ name: alert.metric, metric: null, alert }))];
}

export function isOver(metric: Metric): boolean {
  return metric.verdict === 'warning' || metric.verdict === 'critical';
}

/** What is said of a sample and the alerts together: the worst of it. */
export function verdictOf(sample: HealthVerdict, alerts: readonly HealthAlert[]): HealthVerdict {
  if (sample === 'critical' || alerts.some((alert) => alert.verdict === 'critical')) return 'critical';
  return alerts.length > 0 ? 'warning' : sample;
}

/** Where it stands to its line, and when it becomes an alert or ends being one; without the policy that is left out. */
export function standingText({ metric, alert }: Standing, policy: HealthPolicy | undefined, zone: Zone): string {
  if (metric === null || metric.value === null) return alert === null ? titleOf(metric) : visible(alertText(alert.text), 300);
  const words = { metric: titleOf(metric), value: reading(metric) };
  if (isOver(metric)) {
    const level = metric.verdict === 'critical' ? 'critical' : 'warning';
    const line = metric[level];
    // What is wrong is not always the number.
    const over = line === null || metric.value <= line ? `${words.metric} ${words.value}: ${visible(metric.basis, 200)}` : t(`redis.over.${level}`, { ...words, line: withUnit(line, metric.unit) });
    if (alert !== null) return `${over}; ${t('redis.over.alert', { since: stamp(alert.since, zone, 'minute') })}`;
    // Where none is allowed the first one is an alert.
    return policy === undefined ? over : `${over}; ${t('redis.over.soon', { n: (metric.warning ?? 1) <= 0 ? 1 : Math.max(1, policy.samples) })}`;
  }
  const line = alert?.verdict === 'critical' ? metric.critical : metric.warning;
  if (line === null) return alert === null ? `${words.metric} ${words.value}` : visible(alertText(alert.text), 300);
  const back = t('redis.over.back', { ...words, line: withUnit(line, metric.unit) });
  if (policy === undefined) return back;
  const below = line * (1 - Math.min(policy.margin_percent, 100) / 100);
  return `${back}; ${line <= 0 ? t('redis.over.ends.none', { n: policy.samples }) : t('redis.over.ends', { n: policy.samples, line: withUnit(below, metric.unit) })}`;
}

function titleOf(metric: Metric | null): string {
  return metric === null ? '' : titled('metric', metric);
}

/** The incident of an alert, of those that are worked on. */
export function incidentOf({ alert }: Standing, incidents: readonly Incident[]): Incident | null {
  if (alert === null) return null;
  return incidents.find((incident) => incident.family === 'redis_health' && incident.entity.value === `${alert.title} on ${alert.server}`) ?? null;
}
