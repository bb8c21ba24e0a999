// The columns of the queue, by the room there is.

import { t } from '$ui/i18n';
import type { Column } from '$ui/shared/grid/types';

/** `split` is beside an open incident, `wide` has room for everything. */
export function queueColumns(room: 'split' | 'plain' | 'wide'): Column[] {
  const severity = { id: 'severity', title: t('incidents.col.severity'), width: '74px' };
  const number = { id: 'number', title: t('incidents.col.number'), width: '40px' };
  const title = { id: 'title', title: t('incidents.col.title'), width: 'minmax(160px, 1fr)' };
  const due = { id: 'due', title: t('incidents.col.due'), width: '106px' };
  const mark = { id: 'mark', title: t('incident.select'), width: '16px', quietTitle: true };
  if (room === 'split') return [mark, { ...severity, width: '16px', quietTitle: true }, { ...number, width: '36px' }, { ...title, width: 'minmax(110px, 1fr)' }, due];
  const status = { id: 'status', title: t('incidents.col.status'), width: '150px' };
  const assignee = { id: 'assignee', title: t('incidents.col.assignee'), width: 'minmax(80px, 120px)' };
  // Here the title is what gets the room: the other two are often nearly empty.
  if (room === 'plain') return [mark, severity, number, { ...title, width: 'minmax(230px, 1fr)' }, { ...status, width: 'minmax(108px, 130px)' }, { ...assignee, width: 'minmax(64px, 90px)' }, due];
  return [
    mark,
    severity,
    number,
    title,
    { id: 'entity', title: t('incidents.col.entity'), width: 'minmax(120px, 220px)' },
    status,
    { ...assignee, width: 'minmax(90px, 150px)' },
    due,
    // Numbers end at their right: what begins at its left beside them would read as one value.
    { id: 'events', title: t('incidents.col.events'), width: '64px', align: 'end' },
    { id: 'age', title: t('incidents.col.age'), width: '92px', align: 'end' },
  ];
}
