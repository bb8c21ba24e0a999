// Which rows of a long list are on screen. Pure, so that the arithmetic can be tested without a browser.

/** WebKitGTK rounds scroll positions far above this; higher lists are scrolled by a factor. */
export const SPACER_MAX_PX = 8_000_000;

export interface GridWindow {
  /** First row to draw. */
  first: number;
  /** One after the last row to draw. */
  end: number;
  /** Height of the scrolled space in pixels. */
  spacer: number;
  /** Where the first drawn row begins in that space, in pixels. */
  offset: number;
}

/** The rows to draw for a scroll position; `overscan` rows are added on either side. */
export function gridWindow(scrollTop: number, viewport: number, rows: number, rowHeight: number, overscan = 6): GridWindow {
  const full = rows * rowHeight;
  const spacer = Math.min(full, SPACER_MAX_PX);
  const scrollable = Math.max(spacer - viewport, 0);
  const position = Math.min(Math.max(scrollTop, 0), scrollable);
  // Position in the list as if it were drawn in full.
  const virtual = scrollable === 0 ? 0 : (position / scrollable) * Math.max(full - viewport, 0);
  const first = Math.max(Math.floor(virtual / rowHeight) - overscan, 0);
  const end = Math.min(Math.ceil((virtual + viewport) / rowHeight) + overscan, rows);
  return { first, end: Math.max(end, first), spacer, offset: position - (virtual - first * rowHeight) };
}

/** The scroll position that shows a row in full, or the present one if it already is. */
export function scrollToRow(row: number, scrollTop: number, viewport: number, rows: number, rowHeight: number): number {
  const full = rows * rowHeight;
  const spacer = Math.min(full, SPACER_MAX_PX);
  const scrollable = Math.max(spacer - viewport, 0);
  const range = Math.max(full - viewport, 0);
  if (scrollable === 0 || range === 0) return 0;
  const virtual = (scrollTop / scrollable) * range;
  const top = row * rowHeight;
  const wanted = top < virtual ? top : top + rowHeight > virtual + viewport ? top + rowHeight - viewport : virtual;
  return (wanted / range) * scrollable;
}

/** Where a key moves the selection; `null` if the key does not move it. */
export function moveSelection(key: string, selected: number, rows: number, page: number): number | null {
  if (rows === 0) return null;
  const clamp = (row: number): number => Math.min(Math.max(row, 0), rows - 1);
  switch (key) {
    case 'j':
    case 'ArrowDown':
      return clamp(selected + 1);
    case 'k':
    case 'ArrowUp':
      return clamp(selected < 0 ? 0 : selected - 1);
    case 'PageDown':
      return clamp(selected + page);
    case 'PageUp':
      return clamp(selected - page);
    case 'Home':
      return 0;
    case 'End':
    case 'G':
      return rows - 1;
    default:
      return null;
  }
}
