// What is done to many incidents at once, and how it is told.

import type { BulkAction } from '$ui/generated/model';
import { t, word } from '$ui/i18n';
import { count } from '$ui/shared/format/number';
import { visible } from '$ui/shared/text/visible';

/** What can be done to everything that is selected. */
export type BulkKind = 'take' | 'assign' | 'resolve' | 'note' | 'suppress' | 'status';

/** A longer name is cut. */
const NAME_MAX = 60;

/** `3 taken`; of a single one its number: `#14 taken`. */
export function doneText(action: BulkAction, changed: readonly number[]): string {
  const [first] = changed;
  const what = changed.length === 1 && first !== undefined ? `#${first}` : count(changed.length);
  switch (action.do) {
    case 'assign':
      return action.assignee === null ? t('bulk.done.unassign', { what }) : t('bulk.done.assign', { what, who: visible(action.assignee, NAME_MAX) });
    case 'status':
      return t('bulk.done.status', { what, status: word('status', action.status) });
    case 'take':
    case 'resolve':
    case 'note':
    case 'suppress':
      return t(`bulk.done.${action.do}`, { what });
  }
}
