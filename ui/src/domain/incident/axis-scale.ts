// Where moments stand on the axis of an incident. Long stretches in which nothing happened are cut short: an attack of
// seconds, judged hours later, would be one mark.

/** A gap is cut short if it takes more than this part of the time that is drawn, */
const IDLE = 0.75;
/** and is drawn as wide as this, in percent of the width. */
const CUT = 8;
const CUTS_MAX = 3;
/** What a stretch gets at least of the width that they share. */
const LEAST = 0.2;
/** Free at both ends, in percent. */
const EDGE = 1;

/** A stretch of time as it is drawn, from `left` to `right` in percent of the width. */
export interface Stretch {
  from: number;
  to: number;
  left: number;
  right: number;
}

/** The stretches in which something happened, in order; between two of them time is cut short. Moments as Unix milliseconds. */
export function stretches(moments: readonly number[]): Stretch[] {
  const sorted = [...new Set(moments)].sort((a, b) => a - b);
  const [first] = sorted;
  const last = sorted.at(-1);
  if (first === undefined || last === undefined || last <= first) return [];
  const gaps = sorted.slice(1).map((to, index) => ({ from: sorted[index] ?? to, to })).sort((a, b) => b.to - b.from - (a.to - a.from));
  let drawn = last - first;
  const cut: typeof gaps = [];
  for (const gap of gaps.slice(0, CUTS_MAX)) {
    const length = gap.to - gap.from;
    // If it is all that there is, there is nothing to make room for.
    if (length <= drawn * IDLE || length >= drawn) break;
    drawn -= length;
    cut.push(gap);
  }
  cut.sort((a, b) => a.from - b.from);
  const runs = [first, ...cut.map((gap) => gap.to)].map((from, index) => ({ from, to: cut[index]?.from ?? last }));
  const shares = runs.map(({ from, to }) => Math.max((to - from) / drawn, cut.length === 0 ? 1 : LEAST));
  const width = (100 - 2 * EDGE - CUT * cut.length) / shares.reduce((sum, share) => sum + share, 0);
  let left = EDGE;
  return runs.map(({ from, to }, index) => {
    const right = left + (shares[index] ?? 0) * width;
    const made = { from, to, left, right };
    left = right + CUT;
    return made;
  });
}

/** Where a moment stands, in percent; one of a stretch that is a moment stands in its middle. */
export function placeOf(parts: readonly Stretch[], at: number): number {
  const part = parts.find(({ to }) => at <= to) ?? parts.at(-1);
  if (part === undefined) return 0;
  const { from, to, left, right } = part;
  return to === from ? (left + right) / 2 : left + (Math.max(at - from, 0) / (to - from)) * (right - left);
}
