// What the files say of rules. An answer tells only what holds now: a rule that is adjusted hides what its file says,
// so it is remembered from when the window saw the rule unadjusted.

import type { RuleRow } from '$ui/generated/model';

export type FileValues = Pick<RuleRow, 'enabled' | 'threshold' | 'window_s'>;

const seen = new Map<string, FileValues>();
/** Whose rules they are: another workspace reads other files, which may have the same names. */
let of = 0;

function keyOf(row: RuleRow): string {
  return `${row.file} ${row.id} ${row.version}`;
}

export function rememberFiles(rows: readonly RuleRow[], workspace: number): void {
  if (workspace !== of) seen.clear();
  of = workspace;
  for (const row of rows) if (!row.adjusted) seen.set(keyOf(row), { enabled: row.enabled, threshold: row.threshold, window_s: row.window_s });
}

/** `null` when it is not known: the rule was adjusted already when the window first saw it. */
export function fileValues(row: RuleRow): FileValues | null {
  return row.adjusted ? (seen.get(keyOf(row)) ?? null) : row;
}
