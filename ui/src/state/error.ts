// Makes one kind of error out of everything that can be thrown at us. The text of a failure decides nothing; only its words are
// those of the window's language, where the catalogue has them.

import { coreFault, coreGone } from '$ui/shared/text/core-fault';
import { visibleLines } from '$ui/shared/text/visible';

const CODES = [
  'validation',
  'not_found',
  'conflict',
  'precondition',
  'permission',
  'approval',
  'unavailable',
  'timeout',
  'cancelled',
  'schema_too_new',
  'secret_store',
  'internal',
] as const;

export type ErrorCode = (typeof CODES)[number];

/** A failed operation, in the words of the backend. */
export class OperationError extends Error {
  override readonly name = 'OperationError';
  readonly code: ErrorCode;
  readonly hint: string | null;
  readonly field: string | null;
  readonly traceId: string | null;

  constructor(code: ErrorCode, message: string, more: { hint?: string | null; field?: string | null; traceId?: string | null } = {}) {
    // It may quote what an attacker wrote, and is shown in many places.
    super((code === 'not_found' ? coreGone : coreFault)(visibleLines(message)));
    this.code = code;
    this.hint = more.hint === undefined || more.hint === null ? null : coreFault(visibleLines(more.hint));
    this.field = more.field ?? null;
    this.traceId = more.traceId ?? null;
  }
}

/**
 * Turns what was thrown into an `OperationError`.
 *
 * Our wire form `{code, message, hint?, field?, trace_id?}` passes through; a code that we do not know, and everything
 * else (a framework's bare string, a network failure), becomes `internal` or `unavailable`.
 */
export function normaliseError(thrown: unknown): OperationError {
  if (thrown instanceof OperationError) return thrown;
  if (isRecord(thrown) && typeof thrown['code'] === 'string' && typeof thrown['message'] === 'string') {
    return new OperationError(knownCode(thrown['code']), thrown['message'], {
      hint: text(thrown['hint']),
      field: text(thrown['field']),
      traceId: text(thrown['trace_id']),
    });
  }
  // `fetch` rejects with a TypeError when nobody answers.
  if (thrown instanceof TypeError) return new OperationError('unavailable', thrown.message);
  if (thrown instanceof Error) return new OperationError('internal', thrown.message);
  if (typeof thrown === 'string') return new OperationError('internal', thrown);
  return new OperationError('internal', 'unknown failure');
}

function knownCode(code: string): ErrorCode {
  return CODES.find((known) => known === code) ?? 'internal';
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
