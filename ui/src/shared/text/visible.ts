// Attacker-written text made safe to look at. The same rule as `watchpost_model::text`.

export interface Piece {
  text: string;
  /** A character that would not be seen, written as an escape. */
  escape: boolean;
  /** Offset of the first character in the original, in characters (code points). */
  start: number;
}

const INVISIBLE: readonly (readonly [number, number])[] = [
  [0x00ad, 0x00ad],
  [0x061c, 0x061c],
  [0x115f, 0x1160],
  [0x180e, 0x180e],
  [0x200b, 0x200f],
  [0x2028, 0x202e],
  [0x2060, 0x206f],
  [0x3164, 0x3164],
  [0xfeff, 0xfeff],
  [0xffa0, 0xffa0],
  [0xfff9, 0xfffb],
  [0xe0000, 0xe007f],
];

function escapeOf(code: number): string | null {
  if (code === 0x0a) return '\\n';
  if (code === 0x0d) return '\\r';
  if (code === 0x09) return '\\t';
  // As which the database keeps NUL; no font of the window has it.
  if (code === 0x2400) return '\\x00';
  if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return `\\x${code.toString(16).padStart(2, '0')}`;
  // Lone surrogates cannot come from UTF-8, but can from JSON.
  if (code >= 0xd800 && code <= 0xdfff) return `\\u{${code.toString(16)}}`;
  return INVISIBLE.some(([from, to]) => code >= from && code <= to) ? `\\u{${code.toString(16)}}` : null;
}

/** Cuts `input` into plain runs and escapes; at most `maxChars` characters, a cut is marked by an ellipsis. */
export function pieces(input: string, maxChars = 4_096): Piece[] {
  const out: Piece[] = [];
  let run = '';
  let runStart = 0;
  let index = 0;
  const flush = (): void => {
    if (run !== '') out.push({ text: run, escape: false, start: runStart });
    run = '';
  };
  for (const ch of input) {
    if (index === maxChars) {
      flush();
      out.push({ text: '…', escape: false, start: index });
      return out;
    }
    const escape = escapeOf(ch.codePointAt(0) ?? 0);
    if (escape === null) {
      if (run === '') runStart = index;
      run += ch;
    } else {
      flush();
      out.push({ text: escape, escape: true, start: index });
    }
    index += 1;
  }
  flush();
  return out;
}

/** The same as one string, line by line: for messages of our own that name what somebody else wrote. */
export function visibleLines(input: string): string {
  return input
    .split('\n')
    .map((line) => visible(line))
    .join('\n');
}

/** The same as one string: for titles, accessible names and the clipboard. */
export function visible(input: string, maxChars = 4_096): string {
  return pieces(input, maxChars)
    .map((piece) => piece.text)
    .join('');
}
