// Names, colours and links of what the Overview draws.

import type { Overview } from '$ui/generated/model';
import { formatPeriod } from '$ui/domain/incident/filter';
import { t } from '$ui/i18n';
import { formatRoute } from '$ui/state/router.svelte';

interface Look {
  id: string;
  label: string;
  colour: string;
}

export function categoryLooks(): Look[] {
  return [
    { id: 'api_usage', label: t('category.api_usage'), colour: '--series-1' },
    { id: 'authentication', label: t('category.authentication'), colour: '--series-2' },
    { id: 'data_access', label: t('category.data_access'), colour: '--series-3' },
    { id: 'authorization', label: t('category.authorization'), colour: '--series-4' },
    { id: 'configuration', label: t('category.configuration'), colour: '--series-5' },
  ];
}

export function severityLooks(): Look[] {
  return [
    { id: 'info', label: t('severity.info'), colour: '--series-5' },
    { id: 'low', label: t('severity.low'), colour: '--low' },
    { id: 'medium', label: t('severity.medium'), colour: '--medium' },
    { id: 'high', label: t('severity.high'), colour: '--high' },
    { id: 'critical', label: t('severity.critical'), colour: '--critical' },
  ];
}

export function authLooks(): Look[] {
  return [
    { id: 'success', label: t('outcome.success'), colour: '--ok' },
    { id: 'failure', label: t('outcome.failure'), colour: '--bad' },
  ];
}

export function apiLooks(): Look[] {
  return [...authLooks(), { id: 'unknown', label: t('outcome.unknown'), colour: '--series-5' }];
}

const ACTIVE = 'open,investigating,contained,reopened';

/** Where the rows behind a figure of a period, one that goes on or one that is over, are; those of events are in a drawer. */
export function kpiHref(name: string, { period: span, counted_at: countedAt }: Pick<Overview, 'period' | 'counted_at'>, goesOn: boolean): string | undefined {
  switch (name) {
    case 'incidents_active':
      // What is active now stays in step; what was active at the end of a time that is over is another list.
      return formatRoute('incidents', null, goesOn ? { status: ACTIVE } : { status: 'all', active_at: countedAt });
    case 'incidents_opened':
      return formatRoute('incidents', null, { status: 'all', began: formatPeriod(span) });
    case 'mtta_s':
      return formatRoute('incidents', null, { status: 'all', opened: formatPeriod(span), acknowledged: 'yes' });
    case 'blocks_active':
      // The list of what is active holds those that failed too.
      return formatRoute('blocklist', null, { tab: 'then', at: countedAt });
    default:
      return undefined;
  }
}

export function kpiMore(name: string): 'worse' | 'better' | 'neither' {
  return ['auth_failures', 'incidents_opened', 'incidents_active', 'mtta_s'].includes(name) ? 'worse' : 'neither';
}
