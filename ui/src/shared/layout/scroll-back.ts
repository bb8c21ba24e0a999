// Scrolls back to where something was. What is to be scrolled may still be on its way: rows are fetched page by page.

/** So long is waited for more to come, in milliseconds; who waits longer has begun to read. */
const PATIENCE_MS = 4_000;
/** What a person does to be somewhere else. */
const HANDS = ['wheel', 'pointerdown', 'keydown'] as const;

/** Scrolls to `top` as soon as there is enough; the returned function gives up. */
export function scrollBack(node: HTMLElement, top: number): () => void {
  if (top <= 0) return () => undefined;
  const observer = new MutationObserver(go);
  const timer = setTimeout(stop, PATIENCE_MS);

  function stop(): void {
    observer.disconnect();
    clearTimeout(timer);
    for (const hand of HANDS) node.removeEventListener(hand, stop);
  }

  function go(): void {
    node.scrollTop = top;
    if (node.scrollTop >= top - 1) stop();
  }

  observer.observe(node, { childList: true, subtree: true, attributes: true, attributeFilter: ['style'] });
  for (const hand of HANDS) node.addEventListener(hand, stop, { passive: true });
  go();
  return stop;
}

/** Calls `done` when somebody is somewhere else by hand, or has begun to read; the returned function gives up. */
export function untilHands(node: HTMLElement, done: () => void): () => void {
  const timer = setTimeout(done, PATIENCE_MS);
  for (const hand of HANDS) node.addEventListener(hand, done, { passive: true });
  return () => {
    clearTimeout(timer);
    for (const hand of HANDS) node.removeEventListener(hand, done);
  };
}
