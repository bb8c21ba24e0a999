// The organisation's name, as long as nobody gave it one.

/** What the backend has then; the same as in `watchpost_ops::contract::Settings`. */
const UNNAMED = 'Unnamed organisation';

/** The name that somebody gave; empty where nobody did. */
export function givenName(organisation: string): string {
  return organisation === UNNAMED ? '' : organisation;
}

/** What is kept for a name as it was typed. */
export function keptName(typed: string): string {
  return typed.trim() === '' ? UNNAMED : typed.trim();
}
