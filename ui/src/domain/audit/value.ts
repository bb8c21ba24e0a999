// A value of a changed field as text: strings as they are, nothing as nothing, the rest as JSON.

export function valueText(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  return typeof value === 'string' ? value : JSON.stringify(value);
}
