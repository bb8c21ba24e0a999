import { describe, expect, it } from 'vitest';
import { normaliseError, OperationError } from './error';

describe('normaliseError', () => {
  it('passes our wire form through', () => {
    const error = normaliseError({ code: 'validation', message: 'is not an address', hint: 'write it like 203.0.113.7', field: 'target', trace_id: 'abc' });
    expect(error).toMatchObject({ code: 'validation', message: 'is not an address', hint: 'write it like 203.0.113.7', field: 'target', traceId: 'abc' });
  });

  it('shows what attackers wrote into a message for what it is, and keeps its lines', () => {
    const error = normaliseError({ code: 'not_found', message: 'there is no user \u202enimda\nlook again', hint: 'try \u200badmin' });
    expect(error).toMatchObject({ message: 'there is no user \\u{202e}nimda\nlook again', hint: 'try \\u{200b}admin' });
  });

  it('leaves out what was not sent', () => {
    expect(normaliseError({ code: 'conflict', message: 'somebody was faster' })).toMatchObject({ hint: null, field: null, traceId: null });
  });

  it.each([
    ['a bare string of the framework', 'Command x not found', 'internal', 'Command x not found'],
    ['an error without our form', new Error('boom'), 'internal', 'boom'],
    ['a network failure', new TypeError('Failed to fetch'), 'unavailable', 'Failed to fetch'],
    ['an unknown code', { code: 'brand_new', message: 'hm' }, 'internal', 'hm'],
    ['nothing', undefined, 'internal', 'unknown failure'],
    ['half of our form', { code: 'validation' }, 'internal', 'unknown failure'],
  ])('turns %s into one kind', (_name, thrown, code, message) => {
    const error = normaliseError(thrown);
    expect(error).toBeInstanceOf(OperationError);
    expect(error).toMatchObject({ code, message });
  });

  it('keeps what is normalised already', () => {
    const error = new OperationError('timeout', 'too long');
    expect(normaliseError(error)).toBe(error);
  });
});
