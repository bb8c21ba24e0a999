// What axe says about what is on screen. Colours and layout are not judged here, for the test's browser paints nothing:
// the contrast of colours is computed in styles/tokens.test.ts, and the real window is asked as a whole (tests/window).

import axe from 'axe-core';

const NEEDS_PAINT = ['color-contrast', 'link-in-text-block', 'scrollable-region-focusable', 'target-size'];

/** One line for each violation, whatever its impact; none when all is well. */
export async function violations(root: Document | Element = document): Promise<string[]> {
  const rules = Object.fromEntries(NEEDS_PAINT.map((id) => [id, { enabled: false }]));
  const found = await axe.run(root, { preload: false, resultTypes: ['violations'], rules });
  return found.violations.flatMap((one) => one.nodes.map((node) => `${one.impact ?? 'minor'} ${one.id}: ${node.html.slice(0, 160)}`));
}
