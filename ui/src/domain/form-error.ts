// Where a failed request says its fault: at the field that the backend named, or below the form.

import { refusalText } from '$ui/domain/refusal';
import { sentences } from '$ui/shared/text/sentences';
import type { OperationError } from '$ui/state/error';

/** The fault in one text: what happened and what to do about it. */
export function faultText(error: OperationError): string {
  return sentences(refusalText(error.message), error.hint);
}

/** The fault of one of `fields`; `null` if the error is about something else. A nested field `redis.host` is about `redis`. */
export function fieldFault(error: OperationError | null, ...fields: readonly string[]): string | null {
  if (error === null || error.field === null) return null;
  const named = error.field;
  return fields.some((field) => named === field || named.startsWith(`${field}.`)) ? faultText(error) : null;
}

/** The fault that belongs to none of `fields`. */
export function formFault(error: OperationError | null, ...fields: readonly string[]): string | null {
  return error === null || fieldFault(error, ...fields) !== null ? null : faultText(error);
}
