import { describe, expect, it } from 'vitest';
import { sentences } from './sentences';

describe('what the backend says', () => {
  it('is set as sentences, however many there are', () => {
    expect(sentences('no server answers at 127.0.0.1:6379', 'the connection is tried again')).toBe('No server answers at 127.0.0.1:6379. The connection is tried again');
    expect(sentences('It is closed already.', null, '', 'über HTTP sind alle gleich')).toBe('It is closed already. Über HTTP sind alle gleich');
    expect(sentences(null)).toBe('');
  });

  it('leaves what is written as it is', () => {
    for (const text of ['wp.sqli.union has no threshold', 'watchpost audit accept takes it as it is', '/tmp/a.pdf is there', '"abc" is no value of status']) expect(sentences(text)).toBe(text);
  });
});
