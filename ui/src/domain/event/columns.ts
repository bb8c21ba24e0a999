// The columns of the list of events: which there are, which are shown, kept on this machine.

import { t } from '$ui/i18n';
import type { Column } from '$ui/shared/grid/types';

/** In the order in which they stand; named as the query language names the fields, `request` is the whole request. */
const ALL = [
  { id: 'at', width: '108px' },
  { id: 'severity', width: '76px' },
  { id: 'category', width: '112px' },
  { id: 'type', width: 'minmax(72px, 112px)' },
  { id: 'outcome', width: '64px' },
  { id: 'ip', width: 'minmax(96px, 120px)' },
  { id: 'user', width: 'minmax(52px, 84px)' },
  { id: 'session', width: 'minmax(60px, 110px)' },
  { id: 'endpoint', width: 'minmax(80px, 160px)' },
  { id: 'status', width: '52px', align: 'end' },
  { id: 'bytes', width: '72px', align: 'end' },
  { id: 'duration', width: '84px', align: 'end' },
  { id: 'count', width: '52px', align: 'end' },
  { id: 'risk', width: '44px', align: 'end' },
  { id: 'agent', width: 'minmax(90px, 180px)' },
  { id: 'tag', width: 'minmax(60px, 120px)' },
  { id: 'request', width: 'minmax(140px, 1fr)' },
] as const;

export type ColumnId = (typeof ALL)[number]['id'];
const FIRST: readonly ColumnId[] = ['at', 'severity', 'type', 'outcome', 'ip', 'user', 'request'];
const KEY = 'watchpost.events.columns';
/** These are always there: a row without them says nothing. */
export const FIXED: readonly ColumnId[] = ['at', 'severity', 'request'];
export const COLUMN_IDS: readonly ColumnId[] = ALL.map((column) => column.id);

export function loadColumns(): readonly ColumnId[] {
  const stored = localStorage.getItem(KEY)?.split(',');
  return stored === undefined ? FIRST : COLUMN_IDS.filter((id) => FIXED.includes(id) || stored.includes(id));
}

export function saveColumns(chosen: readonly ColumnId[]): void {
  localStorage.setItem(KEY, chosen.join(','));
}

export function columnTitle(id: ColumnId): string {
  // By the thing, as all others, with the unit beside each value; the field of a search is named by its unit.
  if (id === 'bytes' || id === 'duration') return t(id === 'bytes' ? 'event.column.bytes' : 'event.column.duration');
  return t(`event.field.${id}`);
}

export function gridColumns(chosen: readonly ColumnId[]): Column[] {
  return ALL.filter((column) => chosen.includes(column.id)).map((column) => ({ ...column, title: columnTitle(column.id) }));
}

/** The fields of an export: what is shown, the request in its parts. */
export function exportFields(chosen: readonly ColumnId[]): string[] {
  return chosen.flatMap((id) => (id === 'request' ? ['action', 'resource', 'method', 'path', 'query'] : [id]));
}
