// j and k in a list that is a table or several, whose rows are controls: the focus goes from row to row, and Enter is
// the control's own. A grid has its keys for itself.

import { moveSelection } from './grid/window';
import { isTyping, keysTaken } from './typing';

const CONTROL = 'a[href], button:not(:disabled), input:not(:disabled)';
/** Rows of a step with PgUp and PgDn. */
const PAGE = 10;

/** To be attached to what holds the rows that `selector` finds. */
export function rowKeys(selector: string): (host: HTMLElement) => () => void {
  return (host) => {
    const keydown = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || keysTaken()) return;
      const rows = [...host.querySelectorAll<HTMLElement>(selector)];
      const from = document.activeElement ?? document.body;
      const at = rows.findIndex((row) => row.contains(from));
      // Outside of the rows other keys scroll.
      if (at < 0 && event.key !== 'j' && event.key !== 'k') return;
      const next = at < 0 ? beside(rows, from, event.key === 'j') : moveSelection(event.key, at, rows.length, PAGE);
      const row = next === null ? undefined : rows[next];
      if (row === undefined) return;
      event.preventDefault();
      focusRow(row);
    };
    addEventListener('keydown', keydown);
    return () => removeEventListener('keydown', keydown);
  };
}

/** The first row after where the focus is, or the last one before it; the first where it is nowhere. */
function beside(rows: readonly HTMLElement[], from: Element, forward: boolean): number {
  const after = from === document.body ? 0 : rows.findIndex((row) => (from.compareDocumentPosition(row) & Node.DOCUMENT_POSITION_FOLLOWING) !== 0);
  if (after < 0) return rows.length - 1;
  return forward ? after : Math.max(after - 1, 0);
}

function focusRow(row: HTMLElement): void {
  const control = row.querySelector<HTMLElement>(CONTROL);
  // A row without a control takes no focus of itself, and is none to come by with Tab.
  if (control === null) row.tabIndex = -1;
  (control ?? row).focus();
}
