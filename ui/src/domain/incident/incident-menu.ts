// What the two menus of an incident's page hold.

import type { EntityCount, Incident } from '$ui/generated/model';
import { t, word } from '$ui/i18n';
import type { MenuItem } from '$ui/shared/layout/menu';
import type { App } from '$ui/state/app.svelte';
import { formatRoute } from '$ui/state/router.svelte';
import type { IncidentActions } from './actions.svelte';
import { isActive, nextStatuses } from './tones';

export function containMenu(app: App, actions: IncidentActions, incident: Incident, entities: readonly EntityCount[]): MenuItem[] {
  return (['session', 'user', 'service', 'limit'] as const).map((kind) => ({
    label: t(`contain.title.${kind}`),
    danger: true,
    disabled: !app.may('contain_add'),
    hook: `contain-${kind}`,
    run: () => actions.contain(incident, kind, entities),
  }));
}

/** The page of an incident alone, as a window shows it. */
export function incidentWindow(number: number): string {
  return formatRoute('incidents', String(number), { view: 'full' }).slice(2);
}

export function incidentMenu(app: App, actions: IncidentActions, incident: Incident): MenuItem[] {
  const active = isActive(incident.status);
  const items: MenuItem[] = [
    { label: t('incident.window'), key: 'w', hook: 'window', run: () => void app.openWindow(incidentWindow(incident.number)) },
    { label: t('incident.assign'), key: 'a', disabled: !app.may('incident_assign'), hook: 'assign', run: () => actions.assign(incident) },
    { label: t('incident.note'), key: 'n', disabled: !app.may('incident_note'), hook: 'note', run: () => actions.note(incident) },
  ];
  if (active) {
    items.push(
      { label: t('incident.escalate'), key: 'e', disabled: !app.may('incident_escalate'), hook: 'escalate', run: () => actions.escalate(incident) },
      { label: t('incident.handover'), disabled: !app.may('incident_handover'), hook: 'handover', run: () => actions.handOver(incident) },
      { label: incident.paused === undefined ? t('incident.pause') : t('incident.resume'), disabled: !app.may('incident_pause'), hook: 'pause', run: () => void actions.pauseOrResume(incident) },
      { label: t('incident.merge'), key: 'm', disabled: !app.may('incident_merge'), hook: 'merge', run: () => actions.merge([incident]) },
    );
  }
  if (incident.merged_into !== undefined) items.push({ label: t('incident.split'), disabled: !app.may('incident_split'), hook: 'split', run: () => actions.split(incident) });
  items.push({ label: t('incident.suppress'), key: 's', disabled: !app.may('suppression_add'), hook: 'suppress', run: () => void actions.suppress(incident) });
  items.push(
    { label: t('incident.markdown'), hook: 'markdown', run: () => void actions.copy(incident) },
    { label: t('incident.pdf'), disabled: !app.may('report_generate'), hook: 'pdf', run: () => void actions.report(incident) },
  );
  for (const next of nextStatuses(incident.status)) {
    items.push({
      label: next === 'reopened' ? t('incident.reopen') : next === 'closed' ? t('incident.close') : t('incident.status.to', { status: word('status', next) }),
      disabled: !app.may('incident_status_set'),
      hook: `status-${next}`,
      run: () => void actions.setStatus(incident, next),
    });
  }
  return items;
}
