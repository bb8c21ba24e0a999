// The last to hear of a failure that nobody handled: a person pressed something and nothing happened.

import { normaliseError } from '$ui/state/error';
import type { Toasts } from '$ui/state/toasts.svelte';

/** Shows what nobody caught; the returned function ends it. */
export function hearRejections(toasts: Toasts): () => void {
  const heard = (event: PromiseRejectionEvent): void => toasts.failed('window', normaliseError(event.reason));
  addEventListener('unhandledrejection', heard);
  return () => removeEventListener('unhandledrejection', heard);
}
