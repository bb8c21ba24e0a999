// Why an incident resembles another one, in words, and which of those may be the same case.

import type { Incident, SimilarIncident, SimilarReason } from '$ui/generated/model';
import { ruleTitle } from '$ui/domain/rule/title';
import { t, word } from '$ui/i18n';

export function likeness({ kind, value }: SimilarReason): string {
  if (kind === 'entity') return word('similar.entity', value);
  return t(`similar.${kind}`, { value: kind === 'rule' ? ruleTitle(value) : value });
}

/** The reasons that all of several have, which tell none of them from another; none where there is one alone. */
export function sharedReasons(rows: readonly Pick<SimilarIncident, 'because'>[]): SimilarReason[] {
  const [first, ...others] = rows;
  if (first === undefined || others.length === 0) return [];
  return first.because.filter((reason) => others.every((row) => row.because.some((one) => one.kind === reason.kind && one.value === reason.value)));
}

/** A reason of a row, and whether the row above has it as well. */
export interface Told {
  text: string;
  again: boolean;
}

/** What tells each of several from the others: without the reasons that all have, and those first that the fewest have. */
export function tellingReasons(rows: readonly Pick<SimilarIncident, 'because'>[]): Told[][] {
  const shared = new Set(sharedReasons(rows).map(likeness));
  const said = rows.map(({ because }) => [...new Set(because.map(likeness))].filter((text) => !shared.has(text)));
  const times = (text: string): number => said.filter((row) => row.includes(text)).length;
  return said.map((row, at) => row.toSorted((a, b) => times(a) - times(b)).map((text) => ({ text, again: said[at - 1]?.includes(text) === true })));
}

type Seen = Pick<Incident, 'entity' | 'first_seen' | 'last_seen'>;

/** What lies further apart is another case, until somebody says so. */
const NEAR_MS = 24 * 3_600_000;

function sameEntity(a: Seen, b: Seen): boolean {
  return a.entity.kind === b.entity.kind && a.entity.value === b.entity.value;
}

/** The time between two incidents, in milliseconds; 0 if they overlap. */
function apart(a: Seen, b: Seen): number {
  return Math.max(0, Date.parse(b.first_seen) - Date.parse(a.last_seen), Date.parse(a.first_seen) - Date.parse(b.last_seen));
}

/** Those to merge into: of the same entity first, the nearest in time before others; then by how alike they are. */
export function mergeOrder(incident: Seen, rows: readonly SimilarIncident[]): SimilarIncident[] {
  const [same, others] = [rows.filter((row) => sameEntity(incident, row.incident)), rows.filter((row) => !sameEntity(incident, row.incident))];
  return [...same.toSorted((a, b) => apart(incident, a.incident) - apart(incident, b.incident)), ...others];
}

/** Is it so clearly the same case that it may be chosen for the person? */
export function sameCase(incident: Seen, other: Seen): boolean {
  return sameEntity(incident, other) && apart(incident, other) <= NEAR_MS;
}
