// Leads to a control that may not be drawn yet: it is waited for, brought into view and given the focus.

/** How long a panel may take to show it. */
const WAIT_MS = 8_000;
/** What is above it may still grow when its own answers come; for so long it is kept in view. */
const SETTLE_MS = 2_000;

let current: AbortController | undefined;

/** Waits for the element; `press` presses it where it can be pressed, as a person would. A person who does something else ends it. */
export function reach(selector: string, press = false): void {
  current?.abort();
  const control = new AbortController();
  current = control;
  const look = (): boolean => {
    const found = document.querySelector<HTMLElement>(selector);
    if (found === null) return false;
    arrive(found, press, control);
    return true;
  };
  if (look()) return;
  const observer = new MutationObserver(() => {
    if (look()) observer.disconnect();
  });
  observer.observe(document.body, { subtree: true, childList: true });
  const limit = setTimeout(() => observer.disconnect(), WAIT_MS);
  control.signal.addEventListener('abort', () => {
    clearTimeout(limit);
    observer.disconnect();
  });
}

function arrive(found: HTMLElement, press: boolean, control: AbortController): void {
  // A card takes no focus of itself, and is none to come by with Tab.
  if (!found.matches('button, input, select, textarea, a[href], [tabindex]')) found.tabIndex = -1;
  found.focus({ preventScroll: true });
  if (typeof found.scrollIntoView === 'function') found.scrollIntoView({ block: 'nearest' });
  if (press) {
    if (!found.matches(':disabled')) found.click();
    return;
  }
  const observer = new ResizeObserver(() => {
    if (document.activeElement === found) found.scrollIntoView({ block: 'nearest' });
  });
  for (let parent = found.parentElement; parent !== null && parent !== document.body; parent = parent.parentElement) observer.observe(parent);
  const stop = (): void => observer.disconnect();
  setTimeout(stop, SETTLE_MS);
  for (const event of ['wheel', 'keydown', 'pointerdown']) addEventListener(event, stop, { once: true, passive: true });
  control.signal.addEventListener('abort', stop);
}
