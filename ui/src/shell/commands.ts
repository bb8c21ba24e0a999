// What the palette offers.

import { openBlock } from '$ui/domain/block/block-request.svelte';
import { openContain } from '$ui/domain/contain/contain-request.svelte';
import { entityOf } from '$ui/domain/entity/key';
import { quote } from '$ui/domain/event/query';
import { UNDO_KEY } from '$ui/domain/incident/actions.svelte';
import { openSuppress } from '$ui/domain/suppress/suppress-request.svelte';
import { LANGUAGE_NAMES, LANGUAGES, language, speak, t } from '$ui/i18n';
import { incidentNumber, type Command } from '$ui/shared/palette/match';
import { reach } from '$ui/shared/reach';
import type { App } from '$ui/state/app.svelte';
import { goPanel } from '$ui/state/last-place';
import { period, PRESETS } from '$ui/state/period.svelte';
import { prefs } from '$ui/state/prefs.svelte';
import { PANELS, router, routeText } from '$ui/state/router.svelte';
import { doings, startDoing } from './doings';
import { entityCommand, knownObjects } from './objects';
import { offers } from './offers.svelte';
import { overlays } from './overlays.svelte';
import { panels } from './panels';

/** Commands that are always there. */
export function fixedCommands(app: App): Command[] {
  const here = offers.commands;
  const go = PANELS.map((panel): Command => ({
    id: `go-${panel}`,
    group: t('palette.group.panels'),
    label: t(`nav.${panel}`),
    key: `g ${panels[panel].key}`,
    run: () => goPanel(panel),
  }));
  const actions: Command[] = [];
  const add = (id: string, label: string, run: () => void, key?: string, words?: string): void => {
    actions.push({ id, group: t('palette.group.actions'), label, run, ...(key === undefined ? {} : { key }), ...(words === undefined ? {} : { words }) });
  };
  if (app.may('block_add')) add('block', t('palette.block'), () => openBlock({ target: '', incident: null }));
  if (app.may('contain_add')) {
    for (const kind of ['session', 'user', 'service', 'limit'] as const) add(`contain-${kind}`, t('palette.contain', { what: t(`contain.title.${kind}`) }), () => openContain({ kind, target: '', incident: null }));
  }
  if (app.may('suppression_add')) add('suppress', t('palette.suppress'), () => openSuppress({ rules: [], family: null, entity: null, incident: null }));
  add('bench', t('palette.bench'), () => router.go('rules', null, { tab: 'bench' }));
  for (const theme of ['dark', 'light', 'contrast', 'system'] as const) {
    if (prefs.theme !== theme) add(`theme-${theme}`, t(`palette.theme.${theme}`), () => (prefs.theme = theme));
  }
  for (const doing of doings(app)) add(doing.id, doing.label(), () => startDoing(doing));
  for (const other of LANGUAGES) {
    if (other !== language) add(`language-${other}`, t('palette.language', { name: LANGUAGE_NAMES[other] }), () => speak(other));
  }
  const zone = prefs.zone === 'utc' ? 'local' : 'utc';
  add('zone', t(`palette.zone.${zone}`), () => (prefs.zone = zone), undefined, t('palette.zone.words'));
  for (const preset of PRESETS) {
    if (preset !== 'custom') add(`period-${preset}`, t('palette.period', { period: t(`period.${preset}.long`) }), () => (period.preset = preset));
  }
  if (app.toasts.shown.some((toast) => toast.action?.key === UNDO_KEY)) add('undo', t('palette.undo'), () => app.toasts.press(UNDO_KEY), UNDO_KEY);
  const inEvents = (control: string): void => {
    router.go('events', null, router.current.panel === 'events' ? router.current.query : {});
    reach(`[data-test=${control}]`, true);
  };
  if (app.may('event_export')) add('events-export', t('palette.events.export'), () => inEvents('events-export'));
  add('events-columns', t('palette.events.columns'), () => inEvents('event-columns'));
  add('rail', t('palette.rail'), () => (prefs.rail = prefs.rail === 'wide' ? 'narrow' : 'wide'), '[');
  add('window', t('palette.window'), () => void app.openWindow(routeText(router.current)), 'W');
  if (app.platform.kind !== 'http') add('lock', t('palette.lock'), () => void app.lock(), 'Ctrl L');
  add('print', t('palette.print'), () => requestAnimationFrame(() => window.print()), 'Ctrl P');
  if (app.platform.zoom !== null) {
    for (const [id, step, key] of [['in', 1, 'Ctrl +'], ['out', -1, 'Ctrl -'], ['off', 0, 'Ctrl 0']] as const) add(`zoom-${id}`, t(`palette.zoom.${id}`), () => prefs.zoomBy(step), key, t('palette.zoom.words'));
  }
  add('refresh', t('keys.refresh'), () => app.refresh(), 'R');
  add('keys', t('palette.keys'), () => overlays.open('keys'), '?');
  return [...go, ...here, ...actions, ...knownObjects(app)];
}

/** Commands made of what is typed. */
export function typedCommands(typed: string): Command[] {
  const text = typed.trim();
  if (text === '') return [];
  const group = t('palette.group.incidents');
  const number = incidentNumber(text);
  if (number !== null) {
    return [{ id: 'incident', group, label: t('palette.incident', { n: number }), run: () => router.go('incidents', String(number)) }];
  }
  if (text.length < 3) return [];
  const entity = entityOf(text);
  const search: Command[] = [
    { id: 'event-search', group: t('palette.group.search'), last: true, label: t('palette.search_events', { text }), run: () => router.go('events', null, { q: quote(text) }) },
    { id: 'incident-search', group: t('palette.group.search'), last: true, label: t('palette.search_incidents', { text }), run: () => router.go('incidents', null, { text }) },
  ];
  return entity === null ? search : [entityCommand(entity), ...search];
}
