// What a rule matched, short enough for a line.

import type { Finding } from '$ui/generated/model';

/** Characters before the match, and at most altogether. */
const BEFORE = 16;
const MOST = 120;

export interface Excerpt {
  text: string;
  span: [number, number];
}

/** The match with a little before it, in the form that was decoded last; absent where none is to be seen. */
export function excerptOf(finding: Pick<Finding, 'matched'> | undefined): Excerpt | null {
  const layer = finding?.matched?.layers.findLast(({ span }) => span !== null);
  if (layer === undefined || layer.span === null) return null;
  const [start, end] = layer.span;
  const from = Math.max(0, start - BEFORE);
  const dots = from > 0 ? '…' : '';
  const shown = [...layer.text].slice(from, from + MOST).join('');
  return { text: dots + shown, span: [start - from + dots.length, end - from + dots.length] };
}
