// Circles that would cover each other are moved apart: a number that cannot be read is no number.

export interface Circle {
  x: number;
  y: number;
  size: number;
}

const ROUNDS = 60;
/** Turned by this much each time, no two ways are the same. */
const GOLDEN = Math.PI * (3 - Math.sqrt(5));
/** Between two circles, in pixels. */
const GAP = 1;

/** The same circles in the same order, none over another where there is room; all in pixels. */
export function spread<C extends Circle>(circles: readonly C[]): C[] {
  const moved = circles.map((circle) => ({ ...circle }));
  for (let round = 0; round < ROUNDS; round += 1) {
    let still = true;
    for (const [index, a] of moved.entries()) {
      for (const [later, b] of moved.slice(index + 1).entries()) {
        const apart = Math.hypot(b.x - a.x, b.y - a.y);
        const over = (a.size + b.size) / 2 + GAP - apart;
        if (over <= 0.01) continue;
        still = false;
        // On one spot there is no direction: each goes another way.
        const turn = (index + later + 1) * GOLDEN;
        const [dx, dy] = apart < 0.01 ? [Math.cos(turn), Math.sin(turn)] : [(b.x - a.x) / apart, (b.y - a.y) / apart];
        // The larger one stays nearer to where it belongs.
        const share = b.size / (a.size + b.size);
        a.x -= dx * over * share;
        a.y -= dy * over * share;
        b.x += dx * over * (1 - share);
        b.y += dy * over * (1 - share);
      }
    }
    if (still) break;
  }
  return moved;
}
