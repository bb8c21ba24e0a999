// What the core says of a request that fails, in the language of the window: it says it in English, and its advice may name a
// command of the command line where the window has a panel.

import { said, spoken, t } from '$ui/i18n';

/** Advice that the window gives otherwise, each as the core writes it. */
const PLACES = {
  '`watchpost rules list` shows them': 'core_place.rules',
  '`watchpost connect list` shows them': 'core_place.settings',
  '`watchpost threat list` shows them': 'core_place.settings',
  '`watchpost audit verify` says more': 'core_place.audit',
} as const;

function isOfCommandLine(text: string): text is keyof typeof PLACES {
  return text in PLACES;
}

/** A message of a failure, or what to do about it; a text of another form stays as it is. */
export function coreFault(text: string): string {
  if (isOfCommandLine(text)) return t(PLACES[text]);
  return spoken('core_fault', text, { why: coreFault, detail: coreFault, advice: coreFault, role: (role) => said('role', role) });
}

/** What is not there, of a failure with that code. */
export function coreGone(text: string): string {
  return spoken('core_gone', text, { what: (thing) => spoken('core_thing', thing) });
}
