// What the core says of a connection that fails, in the language of the window: it says it in English.

import { spoken } from '$ui/i18n';

/** A message of a failure, or what to do about it; a text of another form stays as it is. */
export function coreFault(text: string): string {
  return spoken('core_fault', text, { why: coreFault });
}
