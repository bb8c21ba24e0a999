import { describe, expect, it } from 'vitest';
import { anotherPath } from './document';

describe('a path beside one that exists', () => {
  it.each([
    ['/srv/soc2.pdf', '/srv/soc2-20261121-091042.pdf'],
    ['/srv/v1.2/report', '/srv/v1.2/report-20261121-091042'],
    ['/srv/.pdf', '/srv/.pdf-20261121-091042'],
    ['a.b.md', 'a.b-20261121-091042.md'],
  ])('%s', (path, expected) => {
    expect(anotherPath(path, new Date('2026-11-21T09:10:42.123Z'))).toBe(expected);
  });
});
