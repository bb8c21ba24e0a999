// The report as data (`watchpost_report::document`), read from the answer of `report_preview`. Its shape has a number; a
// shape that this window does not know is said to be unreadable and not guessed at.

import type { Period } from '$ui/generated/model';

export const STATES = ['fail', 'warn', 'no_data', 'manual', 'pass'] as const;
export type ControlState = (typeof STATES)[number];

export interface ReportScope {
  organisation: string;
  workspace: string;
  period: Period;
  generated_at: string;
  generated_by: string;
  generator: string;
  log: { id: string; size: number; root: string } | null;
  sources: string[];
}

export interface ControlResult {
  id: string;
  title: string;
  text: string;
  state: ControlState;
  reason: string;
  rule: string;
  population: number;
  exceptions: number;
  basis: string;
  columns: string[];
  rows: string[][];
  remedy: string;
  attest: string | null;
}

export interface ReportView {
  framework: { id: string; name: string; version: string; note: string };
  scope: ReportScope;
  summary: Record<ControlState, number>;
  controls: ControlResult[];
}

/** The report in `answer`; `null` if it is none. */
export function readReport(answer: unknown): ReportView | null {
  if (typeof answer !== 'object' || answer === null) return null;
  const candidate = answer as Partial<ReportView>;
  const whole =
    typeof candidate.framework === 'object' && typeof candidate.scope === 'object' && typeof candidate.summary === 'object' && Array.isArray(candidate.controls);
  return whole ? (answer as ReportView) : null;
}

/** A state that a produced report names; anything unknown is treated as in need of attention. */
export function knownState(state: string): ControlState {
  return STATES.find((known) => known === state) ?? 'fail';
}
