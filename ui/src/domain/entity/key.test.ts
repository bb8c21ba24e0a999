import { describe, expect, it } from 'vitest';
import { entityKey, parseEntityKey } from './key';

describe('an entity in an address', () => {
  it('has one page, whether it was read in an event or in a list of the database', () => {
    const [event, list] = ['evil\0\u0007', 'evil\u2400\u0007'].map((value) => entityKey({ kind: 'user', value }));
    expect(event).toBe(list);
    expect(parseEntityKey(event)).toEqual({ kind: 'user', value: 'evil\u2400\u0007' });
  });
});
