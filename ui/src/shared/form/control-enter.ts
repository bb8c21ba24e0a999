// Ctrl+Enter sends what is written, once for each press.

export function onControlEnter(event: KeyboardEvent, send: () => void): void {
  if (event.defaultPrevented || event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  if (!event.repeat) send();
}
