// What a record says, in words: the trail keeps names of operations, fields and objects.

import type { AuditRecord, Change, SuppressionScope } from '$ui/generated/model';
import { operations } from '$ui/generated/operations';
import { said, t, word } from '$ui/i18n';
import { stamp } from '$ui/shared/format/time';
import { sentences } from '$ui/shared/text/sentences';
import type { Zone } from '$ui/state/prefs.svelte';
import { ruleTitle } from '../rule/title';
import { scopeParts } from '../suppress/scope';
import { changedParts } from './value';

/** Of an id of a machine, as much as tells two of them apart. */
const ID_END = 6;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)$/;
/** Fields whose values the model names, and in which part of the catalogue. */
const NAMED: Readonly<Record<string, string>> = {
  status: 'status',
  incident_status: 'status',
  severity: 'severity',
  verdict: 'verdict',
  family: 'family',
  category: 'category',
  paused: 'pause',
  framework: 'audit_framework',
  ended: 'job_state',
};
/** What `kind` is of, by the thing that a record is about. */
const KINDS: Readonly<Record<string, string>> = { job_plan: 'job', assets: 'entity' };
/** Fields whose numbers are those of incidents. */
const NUMBERS: readonly string[] = ['merged_into', 'duplicate_of', 'incident'];
/** Where the states of an object are named. */
const STATES: Readonly<Record<string, string>> = { block: 'block_state', contain: 'block_state', response: 'response_state', outbox: 'outbox_state', job: 'job_state' };
/** What is done to many incidents, as the trail calls it when it is done to one. */
const BULK: Readonly<Record<string, string>> = { assign: 'incident_assign', status: 'incident_status_set', resolve: 'incident_resolve', note: 'incident_note', suppress: 'suppression_add' };
/** What Watchpost calls itself when it acts on its own. */
const OWN: readonly string[] = ['engine', 'watchpost'];
/** Fields whose parts are one sentence. */
const WHOLE: readonly string[] = ['rhythm', 'scope'];
/** Fields that say least: they stand in the line of a record only when there is nothing else. */
const LAST: readonly string[] = ['node', 'skipped'];

export function actionText(action: string): string {
  return said('audit_action', action);
}

type Told = Pick<AuditRecord, 'action' | 'outcome'> & Partial<Pick<AuditRecord, 'object' | 'changes'>>;

/** Of the look for what is left of somebody who was erased, which has a record of its own: what came of it. The erasure itself is done by then. */
export function residueOf({ action, outcome, object = '', changes = [] }: Told): 'found' | 'unread' | 'clean' | null {
  const told = (state: string): unknown => changes.find((change) => change.field === state)?.new;
  if (action !== 'privacy_erase' || !object.startsWith('erasure/') || typeof told('found') !== 'number' || typeof told('out_of_reach') !== 'number') return null;
  if (outcome === 'success') return 'clean';
  return told('found') === 0 ? 'unread' : 'found';
}

/** Is it of a check of the trail that was done, and found something? One that failed tells of no leaves. */
export function isUnsound({ action, outcome, changes = [] }: Told): boolean {
  return action === 'audit_verify' && outcome === 'failure' && changes.some((change) => change.field === 'leaves' && typeof change.new === 'number');
}

/** What was done; of what was refused or failed, what somebody tried. */
export function doneText(record: Told): string {
  const residue = residueOf(record);
  if (residue !== null) return t(`audit.action.residue.${residue}`);
  const action = actionText(record.action);
  if (isUnsound(record)) return t('audit.action.unsound', { action });
  return record.outcome === 'failure' || record.outcome === 'denied' ? t('audit.action.tried', { action }) : action;
}

/** How it ended. */
export function outcomeText(record: Told): string {
  const residue = residueOf(record);
  if (isUnsound(record)) return t('audit.outcome.unsound');
  return residue === null || residue === 'clean' ? word('audit_outcome', record.outcome) : t('audit.outcome.residue');
}

/** Who did it: one name for all that Watchpost does by itself. */
export function actorText(record: Pick<AuditRecord, 'actor' | 'origin'>): string {
  return record.origin === 'engine' && OWN.includes(record.actor) ? 'Watchpost' : record.actor;
}

/** The incident whose change a bulk action of one takes back: `bulk/17@2`. */
export function changedOne(object: string): string | null {
  return /^bulk\/(\d{1,15})@\d+$/.exec(object)?.[1] ?? null;
}

/** `Incident #16` of `incident/16`; of a refusal what it would have been about; of what has only an id what its record tells. */
export function objectText(object: string, changes: readonly Change[] = []): string {
  const at = object.indexOf('/');
  const kind = at < 0 ? object : object.slice(0, at);
  const name = at < 0 ? '' : object.slice(at + 1);
  // The record of a refusal begins with the operation, which stands beside it.
  const thing = said('audit_object', kind);
  const what = thing === kind && kind in operations ? '' : thing;
  if (name === '') return what === '' ? actionText(kind) : what;
  // Of a kind without a word it is shown as it is recorded.
  if (what === kind) return object;
  if (what === '') return name;
  return toldText(kind, object, changes) ?? `${what} ${nameText(kind, name)}`;
}

/** What the record of a thing that has only an id tells of it. */
function toldText(kind: string, object: string, changes: readonly Change[]): string | null {
  const told = (field: string): unknown => changes.find((change) => change.field === field)?.new;
  if (kind === 'bulk') {
    const one = changedOne(object);
    if (one !== null) return `${said('audit_object', 'incident')} #${one}`;
    const n = told('changed') ?? told('restored');
    return typeof n === 'number' ? t('audit.object.bulk.count', { n }) : null;
  }
  const [first, second] = kind === 'response' ? [told('action'), told('target')] : kind === 'report' ? [said('audit_object', kind), told('framework')] : [];
  if (typeof first !== 'string' || typeof second !== 'string') return null;
  return kind === 'response' ? t('audit.object.of', { what: said('action_kind', first), which: second }) : t('audit.object.of', { what: first, which: said('audit_framework', second) });
}

function nameText(kind: string, name: string): string {
  if (kind === 'incident') return `#${name}`;
  if (kind === 'rule') return ruleTitle(name);
  if (kind === 'family' || kind === 'category') return said(kind, name);
  if (kind === 'setting') {
    const known = said('audit_setting', name);
    return known === name ? name.replaceAll('_', ' ') : known;
  }
  if (kind === 'job_plan') return said('job', name);
  if (kind === 'register' || kind === 'contain') {
    const [first = '', ...rest] = name.split(kind === 'register' ? '/' : ':');
    const of = rest.join(kind === 'register' ? '/' : ':');
    if (of !== '') return `${kind === 'register' ? said('audit_register', first) : said('contain.kind', first)} ${UUID.test(of) ? `…${of.slice(-ID_END)}` : of}`;
  }
  return UUID.test(name) ? `…${name.slice(-ID_END)}` : name;
}

/** The reason of a record; what Watchpost gives as one for itself is a word, or the name of a key. */
export function reasonText(action: string, reason: string): string {
  if (action === 'checkpoint.sign') return said('audit_checkpoint', reason);
  const session = action === 'key.add' ? /^watchpost-session\/(.+)$/.exec(reason)?.[1] : undefined;
  return session === undefined ? reason : t('audit.key.session', { id: session });
}

export function fieldText(field: string, object = ''): string {
  // Of who was given a role the record names them in place of a field.
  if (object === `role/${field}`) return t('audit_field.role');
  const step = /^step (\d+)$/.exec(field)?.[1];
  if (step !== undefined) return t('audit.step', { n: step });
  const format = /^file\.([a-z0-9]+)$/.exec(field)?.[1];
  if (format !== undefined) return `${t('audit_field.file')} (${format.toUpperCase()})`;
  const known = said('audit_field', field);
  // A name without a word reads better as words than as a name.
  return known === field && /^[a-z]+(_[a-z0-9]+)*$/.test(field) ? `${field.charAt(0).toUpperCase()}${field.slice(1).replaceAll('_', ' ')}` : known;
}

/** The changes of a record, those first that say most. */
export function toldFirst(changes: readonly Change[]): readonly Change[] {
  const isLast = (change: Change): boolean => LAST.includes(change.field);
  return [...changes.filter((change) => !isLast(change)), ...changes.filter(isLast)];
}

/** Both sides of a change, of what has parts only those that changed. What is said as a whole stays whole. */
export function changeSides({ field, old, new: made }: Pick<Change, 'field' | 'old' | 'new'>, zone: Zone, object = ''): [before: string | null, after: string | null] {
  const [before, after] = WHOLE.includes(field) ? [old, made] : changedParts(old, made);
  return [changeText(field, before, zone, object), changeText(field, after, zone, object)];
}

/** The value of a changed field: names of the model in words, instants in the zone of the window, parts by their names. */
export function changeText(field: string, value: unknown, zone: Zone, object = ''): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'number' && NUMBERS.includes(field)) return `#${value}`;
  if (typeof value === 'boolean') return t(value ? 'value.yes' : 'value.no');
  if (typeof value === 'string') return INSTANT.test(value) ? stamp(value, zone, 'minute') : nameOf(field, value, object);
  if (typeof value !== 'object') return JSON.stringify(value);
  if (field === 'rhythm') return rhythmText(value as { every?: string; on?: string | number });
  if (field === 'scope') return scopeParts(value as SuppressionScope).join(', ');
  const parts = Array.isArray(value)
    ? value.map((part) => changeText(field, part, zone, object))
    : Object.entries(value).map(([name, part]) => {
        const text = changeText(name, part, zone, object);
        return text === null ? null : `${fieldText(name, object)}${typeof part === 'boolean' ? ':' : ''} ${text}`;
      });
  const told = parts.filter((part) => part !== null);
  return told.length === 0 ? '–' : told.join(', ');
}

function rhythmText({ every, on = '' }: { every?: string; on?: string | number }): string {
  if (every === 'day') return t('plan.daily');
  return every === 'month' ? t('plan.monthly', { day: on }) : said('plan.weekly', String(on));
}

function nameOf(field: string, value: string, object: string): string {
  const at = object.indexOf('/');
  const kind = at < 0 ? object : object.slice(0, at);
  if (object === `role/${field}`) return said('role', value);
  switch (field) {
    case 'error':
    case 'problem':
      return sentences(value);
    case 'kind':
      return named(KINDS[kind === 'setting' ? object.slice(at + 1) : kind], value);
    case 'rule':
      return ruleTitle(value);
    case 'operation':
      return actionText(value);
    case 'metric':
      return said('metric', value);
    case 'action':
      return kind === 'bulk' ? actionText(BULK[value] ?? value) : said('action_kind', value);
    case 'state':
      return named(STATES[kind], value);
    case 'status':
      return said(kind === 'report' ? 'report.status' : 'status', value);
    default:
      return UUID.test(value) ? `…${value.slice(-ID_END)}` : named(NAMED[field], value);
  }
}

function named(part: string | undefined, value: string): string {
  return part === undefined ? value : said(part, value);
}
