// Things that the palette finds by what is typed: incidents, rules, frameworks, reports, saved views, connections, cards of the settings.

import { savedViews } from '$ui/domain/incident/views.svelte';
import { settingsSections } from '$ui/domain/settings/sections';
import { t } from '$ui/i18n';
import type { OperationName, Reply, Request } from '$ui/platform/types';
import type { Command } from '$ui/shared/palette/match';
import { reach } from '$ui/shared/reach';
import { stamp } from '$ui/shared/format/time';
import { visible } from '$ui/shared/text/visible';
import type { App } from '$ui/state/app.svelte';
import { prefs } from '$ui/state/prefs.svelte';
import { router } from '$ui/state/router.svelte';

/** Of each kind, so that none pushes the others out. */
const EACH_MAX = 6;
/** Reports that are looked through. */
const REPORTS_MAX = 200;

/** Those that are known without asking. */
export function knownObjects(app: App): Command[] {
  const views = savedViews.all.map((view): Command => ({ id: `view-${view.name}`, group: t('views.title'), label: visible(view.name, 80), run: () => router.go('incidents', null, view.query) }));
  const sections = settingsSections(app).map((name): Command => ({
    id: `settings-${name}`,
    group: t('palette.group.settings'),
    label: `${t('nav.settings')}: ${name}`,
    run: () => {
      router.go('settings');
      reach(`section.card[aria-label="${CSS.escape(name)}"]`);
    },
  }));
  return [...views, ...sections];
}

/** An answer as it is kept already, or asked for; `undefined` where it may not be asked for or does not come: the rest is still found. */
async function answer<Name extends OperationName>(app: App, name: Name, request: Request<Name>): Promise<Reply<Name> | undefined> {
  if (!app.may(name)) return undefined;
  const entry = app.queries.entry(name, request);
  if (entry.data === undefined || entry.stale) await entry.fetch();
  return entry.data;
}

function holds(typed: string, ...texts: string[]): boolean {
  const text = texts.join(' ').toLowerCase();
  return typed.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

async function incidents(app: App, text: string): Promise<Command[]> {
  const filter = { status: [], severity: [], family: [], assignee: null, text, entity: null };
  const page = await answer(app, 'incident_page', { filter, order: 'newest', after: null, limit: EACH_MAX });
  return (page?.rows ?? []).map((row) => ({
    id: `incident-${row.number}`,
    group: t('palette.group.incidents'),
    label: `#${row.number} ${visible(row.title, 120)}`,
    run: () => router.go('incidents', String(row.number)),
  }));
}

async function rules(app: App, text: string): Promise<Command[]> {
  const list = await answer(app, 'rule_list', {});
  return (list?.rules ?? [])
    .filter((rule) => holds(text, rule.id, rule.title))
    .slice(0, EACH_MAX)
    .map((rule) => ({ id: `rule-${rule.id}`, group: t('nav.rules'), label: `${visible(rule.title, 80)} · ${visible(rule.id, 60)}`, run: () => router.go('rules', rule.id) }));
}

async function reports(app: App, text: string): Promise<Command[]> {
  const [frameworks, list] = await Promise.all([answer(app, 'report_frameworks', {}), answer(app, 'report_list', { limit: REPORTS_MAX })]);
  const known = frameworks?.frameworks ?? [];
  const names = new Map(known.map((one) => [one.id, one.name]));
  const make = known
    .filter((one) => holds(text, one.id, one.name))
    .slice(0, EACH_MAX)
    .map((one): Command => ({ id: `framework-${one.id}`, group: t('nav.reports'), label: t('palette.report', { name: visible(one.name, 80) }), run: () => router.go('reports', null, { framework: one.id }) }));
  const made = (list?.reports ?? [])
    .filter((one) => holds(text, names.get(one.framework) ?? one.framework, one.summary, one.made_by))
    .slice(0, EACH_MAX)
    .map((one): Command => ({
      id: `report-${one.id}`,
      group: t('nav.reports'),
      label: t('palette.report.made', { name: visible(names.get(one.framework) ?? one.framework, 60), at: stamp(one.made_at, prefs.zone, 'minute') }),
      run: () => router.go('reports', null, { tab: 'history' }),
    }));
  return [...make, ...made];
}

async function connections(app: App, text: string): Promise<Command[]> {
  const list = await answer(app, 'connection_list', {});
  return (list?.connections ?? [])
    .filter((one) => one.id !== list?.active && holds(text, one.name, t('connections.open')))
    .slice(0, EACH_MAX)
    .map((one) => ({
      id: `connection-${one.id}`,
      group: t('connections.title'),
      label: t('palette.connection', { name: visible(one.name, 80) }),
      run: () => {
        router.go('settings');
        reach(`[data-test=connection-row][data-name="${CSS.escape(one.name)}"] [data-test=connection-open]`, true);
      },
    }));
}

/** Asks the lists that there are. */
export async function findObjects(app: App, typed: string): Promise<Command[]> {
  const text = typed.trim();
  if (text.length < 2) return [];
  const closed = app.live.status?.connection === null;
  const found = await Promise.all([...(closed ? [] : [incidents(app, text), rules(app, text), reports(app, text)]), connections(app, text)]);
  return found.flat();
}
