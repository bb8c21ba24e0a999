// Colours of the theme as the canvas needs them: resolved, because light-dark() and var() mean nothing there.

/** Resolves tokens such as `--accent` in the theme of `host`. */
export function resolveColours(host: HTMLElement, tokens: readonly string[]): string[] {
  const probe = document.createElement('span');
  host.append(probe);
  const colours = tokens.map((token) => {
    probe.style.color = `var(${token})`;
    return getComputedStyle(probe).color;
  });
  probe.remove();
  return colours;
}
