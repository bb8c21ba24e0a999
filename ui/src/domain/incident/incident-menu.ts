// Everything that can be done to one incident now, in one table: the buttons and menus of its page, its keys and the palette take it from here.

import type { EntityCount, Incident, IncidentDetail } from '$ui/generated/model';
import { t, word } from '$ui/i18n';
import type { MenuItem } from '$ui/shared/layout/menu';
import type { App } from '$ui/state/app.svelte';
import { formatRoute, router } from '$ui/state/router.svelte';
import type { IncidentActions } from './actions.svelte';
import { isActive, nextStatuses } from './tones';

const CONTAINMENTS = ['session', 'user', 'service', 'limit'] as const;
/** Those that have a button of their own on the page. */
const BUTTONS: readonly (string | undefined)[] = ['take', 'resolve', 'false-positive', 'block', 'unblock'];

export function containMenu(app: App, actions: IncidentActions, incident: Incident, entities: readonly EntityCount[]): MenuItem[] {
  if (!hasAttacker(incident)) return [];
  return CONTAINMENTS.map((kind) => ({
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

/** Is it worked on by itself? One that is merged is worked on through its target. */
export function standsAlone(incident: Incident): boolean {
  return incident.merged_into === undefined;
}

/** The address that a block of the incident is of: what it is about, else one that its events came from; `null` if there is none. */
export function suspect({ incident, entities }: Pick<IncidentDetail, 'incident' | 'entities'>): string | null {
  if (!hasAttacker(incident)) return null;
  return [incident, ...entities].find(({ entity }) => entity.kind === 'ip')?.entity.value ?? null;
}

/** Is there somebody to stop? A measure of Redis has nobody. */
export function hasAttacker(incident: Incident): boolean {
  return incident.family !== 'redis_health';
}

/** What can be done to the incident as it stands now; what the person may not do is disabled. */
export function incidentDoings(app: App, actions: IncidentActions, incident: Incident): MenuItem[] {
  const look: MenuItem[] = [{ label: t('incident.window'), key: 'w', hook: 'window', run: () => void app.openWindow(incidentWindow(incident.number)) }];
  const papers: MenuItem[] = [
    { label: t('incident.markdown'), hook: 'markdown', run: () => void actions.copy(incident) },
    { label: t('incident.pdf'), disabled: !app.may('report_generate'), hook: 'pdf', run: () => void actions.report(incident) },
  ];
  const target = incident.merged_into;
  if (target !== undefined) {
    return [
      { label: t('incident.merged.go', { n: target }), hook: 'merged-into', run: () => router.go('incidents', String(target), router.current.query) },
      { label: t('incident.split'), disabled: !app.may('incident_split'), hook: 'split', run: () => actions.split(incident) },
      ...look,
      ...papers,
    ];
  }
  return [...handling(app, actions, incident), ...look, ...working(app, actions, incident), ...papers, ...moves(app, actions, incident)];
}

/** Take it and judge it, stop what it does. */
function handling(app: App, actions: IncidentActions, incident: Incident): MenuItem[] {
  const judging: MenuItem[] = isActive(incident.status)
    ? [
        { label: t('incident.take'), key: 't', disabled: !app.may('incident_take'), hook: 'take', run: () => void actions.take(incident) },
        { label: t('incident.resolve'), key: 'r', disabled: !app.may('incident_resolve'), hook: 'resolve', run: () => actions.resolve(incident) },
        { label: t('incident.false_positive'), key: 'f', disabled: !app.may('incident_resolve'), hook: 'false-positive', run: () => actions.resolve(incident, 'false_positive') },
      ]
    : [];
  if (!hasAttacker(incident)) return judging;
  const block: MenuItem = { label: t(actions.extends(incident) ? 'incident.block.extend' : 'incident.block'), key: 'b', danger: true, disabled: !app.may('block_add'), hook: 'block', run: () => void actions.block(incident) };
  if (!actions.holds(incident)) return [...judging, block];
  return [...judging, block, { label: t('blocks.unblock'), disabled: !app.may('block_remove'), hook: 'unblock', run: () => actions.unblock(incident) }];
}

/** Who has it, what is known about it, where it belongs. */
function working(app: App, actions: IncidentActions, incident: Incident): MenuItem[] {
  const active: MenuItem[] = isActive(incident.status)
    ? [
        { label: t('incident.escalate'), key: 'e', disabled: !app.may('incident_escalate'), hook: 'escalate', run: () => actions.escalate(incident) },
        { label: t('incident.handover'), disabled: !app.may('incident_handover'), hook: 'handover', run: () => actions.handOver(incident) },
        { label: incident.paused === undefined ? t('incident.pause') : t('incident.resume'), disabled: !app.may('incident_pause'), hook: 'pause', run: () => void actions.pauseOrResume(incident) },
        { label: t('incident.merge'), key: 'm', disabled: !app.may('incident_merge'), hook: 'merge', run: () => actions.merge([incident]) },
      ]
    : [];
  return [
    { label: t('incident.assign'), key: 'a', disabled: !app.may('incident_assign'), hook: 'assign', run: () => actions.assign(incident) },
    { label: t('incident.note'), key: 'n', disabled: !app.may('incident_note'), hook: 'note', run: () => actions.note(incident) },
    ...active,
    { label: t('incident.suppress'), key: 's', disabled: !app.may('suppression_add'), hook: 'suppress', run: () => void actions.suppress(incident) },
  ];
}

function moves(app: App, actions: IncidentActions, incident: Incident): MenuItem[] {
  return nextStatuses(incident.status).map((next) => ({
    label: next === 'reopened' ? t('incident.reopen') : next === 'closed' ? t('incident.close') : t('incident.status.to', { status: word('status', next) }),
    disabled: !app.may('incident_status_set'),
    hook: `status-${next}`,
    run: () => void actions.setStatus(incident, next),
  }));
}

/** The menu of the page and of a row: what has no button of its own. */
export function incidentMenu(app: App, actions: IncidentActions, incident: Incident): MenuItem[] {
  return incidentDoings(app, actions, incident).filter(({ hook }) => !BUTTONS.includes(hook));
}

/** Does what a key stands for, where it can be done now. */
export function pressIncidentKey(app: App, actions: IncidentActions, incident: Incident, key: string): void {
  const item = incidentDoings(app, actions, incident).find((one) => one.key === key);
  if (item !== undefined && item.disabled !== true) item.run();
}
