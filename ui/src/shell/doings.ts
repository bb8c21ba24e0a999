// What the panels let be done, with the button that does it: the palette leads there and presses it, so that the panel's own
// rules, previews and questions hold.

import { t, type Key } from '$ui/i18n';
import type { JobKind } from '$ui/generated/model';
import type { OperationName } from '$ui/platform/types';
import { reach } from '$ui/shared/reach';
import type { App } from '$ui/state/app.svelte';
import { router, type Panel } from '$ui/state/router.svelte';

export interface Doing {
  id: string;
  panel: Panel;
  query?: Readonly<Record<string, string>>;
  /** `data-test` of what does it. */
  hook: string;
  label: () => string;
  /** Who may do this may do it. */
  needs: OperationName;
  /** It is pressed; else it has the focus, because something is to be looked at or filled in before. */
  press?: boolean;
}

const JOBS: readonly (readonly [JobKind, OperationName])[] = [
  ['cleanup', 'cleanup_run'],
  ['retention', 'retention_run'],
  ['optimize', 'optimize_run'],
  ['aggregate', 'aggregate_run'],
  ['benchmark', 'benchmark_run'],
  ['export', 'export_run'],
  ['backup', 'backup_run'],
  ['restore', 'restore_run'],
  ['import', 'import_run'],
  ['simulate', 'simulate_run'],
  ['database_backup', 'database_copy_run'],
  ['database_rehearsal', 'database_rehearse_run'],
];

function titled(panel: Panel, key: Key): () => string {
  return () => `${t(`nav.${panel}`)}: ${(t as (key: Key) => string)(key)}`;
}

/** In the order of the panels. */
export const DOINGS: readonly Doing[] = [
  { id: 'events-follow', panel: 'events', hook: 'events-follow', label: titled('events', 'search.follow'), needs: 'event_page', press: true },
  { id: 'allow', panel: 'blocklist', query: { tab: 'allowlist' }, hook: 'allow-submit', label: titled('blocklist', 'allow.go'), needs: 'allow_add' },
  { id: 'rule-reload', panel: 'rules', hook: 'rule-reload', label: titled('rules', 'rule.reload'), needs: 'rule_reload', press: true },
  { id: 'suppressions', panel: 'rules', query: { tab: 'suppressions' }, hook: 'suppression-new', label: titled('rules', 'suppressions.new'), needs: 'suppression_add' },
  { id: 'baseline', panel: 'baselines', hook: 'baseline-compare', label: titled('baselines', 'baseline.compare'), needs: 'baseline_compare', press: true },
  ...JOBS.map(([kind, needs]): Doing => ({ id: `job-${kind}`, panel: 'maintenance', hook: `job-${kind}`, label: () => `${t('nav.maintenance')}: ${t(`jobs.${kind}.title`)} …`, needs })),
  { id: 'plan', panel: 'maintenance', hook: 'plan-form', label: titled('maintenance', 'plan.title'), needs: 'job_plan_put' },
  { id: 'report-produce', panel: 'reports', hook: 'report-produce', label: titled('reports', 'report.produce'), needs: 'report_generate' },
  { id: 'report-history', panel: 'reports', query: { tab: 'history' }, hook: 'reports-tab-history', label: titled('reports', 'reports.tab.history'), needs: 'report_list' },
  { id: 'report-schedule', panel: 'reports', query: { tab: 'schedules' }, hook: 'schedule-add', label: titled('reports', 'report.schedule.add'), needs: 'report_schedule_add' },
  { id: 'audit-verify', panel: 'audit', hook: 'audit-verify', label: titled('audit', 'audit.verify'), needs: 'audit_verify', press: true },
  { id: 'audit-verify-full', panel: 'audit', hook: 'audit-verify-full', label: titled('audit', 'audit.verify.full'), needs: 'audit_verify', press: true },
  { id: 'audit-export', panel: 'audit', hook: 'audit-export', label: titled('audit', 'audit.export'), needs: 'audit_export', press: true },
  { id: 'connection-add', panel: 'settings', hook: 'connection-add', label: titled('settings', 'connections.add'), needs: 'connection_save', press: true },
];

/** Those that the person may do here and now; without a connection only what needs none. */
export function doings(app: App): Doing[] {
  const closed = app.live.status?.connection === null;
  return DOINGS.filter(({ needs, panel }) => app.may(needs) && (!closed || panel === 'settings'));
}

export function startDoing({ panel, query, hook, press }: Doing): void {
  // Who is there already keeps the filters, not the tab: what is looked for stands on the first one.
  const { tab: _tab, ...filters } = router.current.panel === panel ? router.current.query : {};
  router.go(panel, null, query ?? filters);
  reach(`[data-test="${hook}"]`, press === true);
}
