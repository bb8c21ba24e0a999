// The last to hear of a failure that nobody handled: a person pressed something and nothing happened.

import { normaliseError, OperationError } from '$ui/state/error';
import type { Toasts } from '$ui/state/toasts.svelte';

/** Shows what nobody caught; the returned function ends it. */
export function hearRejections(toasts: Toasts): () => void {
  const heard = (event: PromiseRejectionEvent): void => toasts.failed('window', normaliseError(event.reason));
  const thrown = (event: ErrorEvent): void => {
    // What the browser only remarks on, such as an observer that waits for the next frame, has no error.
    if (event.error instanceof Error) toasts.failed('window', new OperationError('internal', event.error.message));
  };
  addEventListener('unhandledrejection', heard);
  addEventListener('error', thrown);
  return () => {
    removeEventListener('unhandledrejection', heard);
    removeEventListener('error', thrown);
  };
}
