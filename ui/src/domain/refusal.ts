// Why something was not done, in the language of the window: the core says it in English.

import { spoken } from '$ui/i18n';
import { toldTime } from '$ui/shared/format/time';
import { prefs } from '$ui/state/prefs.svelte';

/** `time` says the times in it: as the window shows them, unless it is read elsewhere. */
export function refusalText(text: string, time = (at: string): string => toldTime(at, prefs.zone)): string {
  return spoken('refusal', text, { at: time, until: time });
}

/** What became of an action of the response: a refusal, or how it went. */
export function responseDetail(text: string): string {
  return spoken('response_detail', refusalText(text));
}
