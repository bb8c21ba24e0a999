// A value of a changed field as it is recorded: strings as they are, nothing as nothing, the rest as JSON.

export function valueText(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Of both sides of a change what differs: of two lists their own parts, of two things the fields that are not the same. */
export function changedParts(before: unknown, after: unknown): [before: unknown, after: unknown] {
  if (Array.isArray(before) && Array.isArray(after)) return lists(before, after);
  if (!isThing(before) || !isThing(after)) return [before, after];
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
  const of = (thing: Record<string, unknown>): unknown => Object.fromEntries(names.filter((name) => name in thing).map((name) => [name, thing[name]]));
  return [of(before), of(after)];
}

function lists(before: readonly unknown[], after: readonly unknown[]): [before: unknown, after: unknown] {
  const own = (list: readonly unknown[], other: readonly unknown[]): unknown[] => {
    const known = new Set(other.map((part) => JSON.stringify(part)));
    return list.filter((part) => !known.has(JSON.stringify(part)));
  };
  const parts = [own(before, after), own(after, before)] as const;
  // Of the same parts only the order changed, or how often they are there.
  return parts.every((side) => side.length === 0) ? [before, after] : [...parts];
}

function isThing(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
