// Things that the palette finds by what is typed: users and sessions, incidents, rules, frameworks, reports, saved views, connections, cards of the settings.

import { entityKey, entityOf } from '$ui/domain/entity/key';
import { beginning, quote } from '$ui/domain/event/query';
import { incidentTitle } from '$ui/domain/incident/title';
import { savedViews } from '$ui/domain/incident/views.svelte';
import { ruleTitle } from '$ui/domain/rule/title';
import { settingsSections } from '$ui/domain/settings/sections';
import type { Entity, Period } from '$ui/generated/model';
import { t, word } from '$ui/i18n';
import type { OperationName, Reply, Request } from '$ui/platform/types';
import { incidentNumber, type Command } from '$ui/shared/palette/match';
import { reach } from '$ui/shared/reach';
import { stamp } from '$ui/shared/format/time';
import { visible } from '$ui/shared/text/visible';
import type { App } from '$ui/state/app.svelte';
import { prefs } from '$ui/state/prefs.svelte';
import { router } from '$ui/state/router.svelte';

/** Of each kind, so that none pushes the others out. */
const EACH_MAX = 6;
/** A name that is shorter is not asked for. */
const NAME_MIN = 3;
const HOUR_MS = 3_600_000;
const WEEK_MS = 7 * 24 * HOUR_MS;
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
    label: `#${row.number} ${visible(incidentTitle(row), 120)}`,
    severity: row.severity,
    run: () => router.go('incidents', String(row.number)),
  }));
}

/** The incident whose number was typed, by its title, or that there is none. */
async function numbered(app: App, number: number): Promise<Command[]> {
  if (!app.may('incident_detail')) return [];
  const entry = app.queries.entry('incident_detail', { number });
  if (entry.data === undefined || entry.stale) await entry.fetch();
  const group = t('palette.group.incidents');
  if (entry.error?.code === 'not_found') return [{ id: 'incident', group, label: t('palette.incident.none', { n: number }), run: () => router.go('incidents') }];
  return entry.data === undefined ? [] : [{ id: 'incident', group, label: `#${number} ${visible(entry.data.incident.title, 120)}`, severity: entry.data.incident.severity, run: () => router.go('incidents', String(number)) }];
}

/** Leads to the page of an entity. */
export function entityCommand(entity: Entity): Command {
  const value = visible(entity.value, 80);
  return {
    id: `entity-${entity.kind}`,
    group: t('palette.group.entities'),
    label: entity.kind === 'ip' || entity.kind === 'user' ? t(`palette.entity.${entity.kind}`, { value }) : t('palette.entity.other', { value: `${word('entity', entity.kind)} ${value}` }),
    run: () => router.go('entities', entityKey(entity)),
  };
}

/** Users and sessions with a risk that are looked through. */
const RISKS_MAX = 500;

/** Whose name begins so in the archive, or has it somewhere where it has a risk. What is an entity by the way it is written is offered without asking. */
async function entities(app: App, text: string): Promise<Command[]> {
  if (text.length < NAME_MIN || incidentNumber(text) !== null || entityOf(text) !== null) return [];
  const kinds = ['user', 'session'] as const;
  const ask = (period: Period | null, value: string): Promise<Reply<'event_figures'> | undefined> =>
    answer(app, 'event_figures', { period, query: kinds.map((kind) => `${kind}:${value}`).join(' or '), buckets: 1, facets: [...kinds] });
  // A whole name is found in any archive at once, the beginning of one is read out of the events.
  const to = Math.ceil(Date.now() / HOUR_MS) * HOUR_MS;
  const week = { from: new Date(to - WEEK_MS).toISOString(), to: new Date(to).toISOString() };
  const risks = Promise.all(kinds.map((kind) => answer(app, 'entity_risk_top', { kind, limit: RISKS_MAX })));
  const found = await Promise.all([ask(week, beginning(text)), ask(null, quote(text))]);
  const risky = (await risks).flatMap((page) => page?.rows ?? []).map(({ risk }) => risk.entity);
  return kinds.flatMap((kind) => {
    const values = found.flatMap((figures) => figures?.facets.find((facet) => facet.field === kind)?.values ?? []);
    const begins = values.map(({ value }) => value).filter((value) => value.startsWith(text));
    const within = risky.filter((entity) => entity.kind === kind && holds(text, entity.value)).map(({ value }) => value);
    const named = [...new Set([...begins, ...within])];
    // The one that is called just so comes first, and what begins so before what has it within.
    const best = named.toSorted((a, b) => Number(b === text) - Number(a === text)).slice(0, EACH_MAX);
    return best.map((value) => ({ ...entityCommand({ kind, value }), ...(value === text ? {} : { id: `entity-${kind}-${value}` }) }));
  });
}

async function rules(app: App, text: string): Promise<Command[]> {
  const list = await answer(app, 'rule_list', {});
  return (list?.rules ?? [])
    .filter((rule) => holds(text, rule.id, rule.title, ruleTitle(rule.id, rule.title)))
    .slice(0, EACH_MAX)
    .map((rule) => ({ id: `rule-${rule.id}`, group: t('nav.rules'), label: `${visible(ruleTitle(rule.id, rule.title), 80)} · ${visible(rule.id, 60)}`, run: () => router.go('rules', rule.id) }));
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
  const closed = app.live.status?.connection === null;
  const number = incidentNumber(text);
  if (number !== null && !closed) {
    const [one, others] = await Promise.all([numbered(app, number), text.length < 2 ? [] : incidents(app, text)]);
    return [...one, ...others.filter(({ id }) => id !== `incident-${number}`)];
  }
  if (text.length < 2) return [];
  const found = await Promise.all([...(closed ? [] : [entities(app, text), incidents(app, text), rules(app, text), reports(app, text)]), connections(app, text)]);
  return found.flat();
}
