// Finds commands by what a person types: all words must occur; the beginning of a word counts more than its middle.

import type { Severity } from '$ui/generated/model';

export interface Command {
  id: string;
  label: string;
  group: string;
  /** Of an incident: its mark stands before the label. */
  severity?: Severity;
  /** Found by these too, not shown. */
  words?: string;
  /** Shown at the right: the key that does the same. */
  key?: string;
  /** Comes after everything that was found. */
  last?: boolean;
  run: () => void;
}

/** The commands that match, best first; equal ones keep their order. */
export function matchCommands(commands: readonly Command[], typed: string): Command[] {
  const words = typed.toLowerCase().split(/\s+/).filter((part) => part !== '');
  if (words.length === 0) return [...commands];
  return commands
    .map((command) => ({ command, score: score(`${command.label} ${command.words ?? ''}`.toLowerCase(), words) }))
    .filter(({ score: points }) => points > 0)
    .sort((a, b) => b.score - a.score)
    .map(({ command }) => command);
}

function score(text: string, words: readonly string[]): number {
  let points = 0;
  for (const part of words) {
    const at = text.indexOf(part);
    if (at < 0) return 0;
    const begins = at === 0 || /[\s#“(]/.test(text[at - 1] ?? '');
    points += at === 0 ? 3 : begins || text.includes(` ${part}`) ? 2 : 1;
  }
  return points;
}

/** The number of an incident in `42` or `#42`; `null` if it is none. */
export function incidentNumber(typed: string): number | null {
  const match = /^#?(\d{1,12})$/.exec(typed.trim());
  return match?.[1] === undefined ? null : Number(match[1]);
}
