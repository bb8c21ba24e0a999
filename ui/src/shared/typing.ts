// Whose is a key: the person's who types, a dialog's, or anybody's?

/** Is the person typing? A box to tick and a choice take no letters. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.closest('input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable="true"]') !== null;
}

/** Is a dialog or a menu open? It has the keys for itself. */
export function keysTaken(): boolean {
  return document.querySelector('dialog[open], [popover]:popover-open') !== null;
}
