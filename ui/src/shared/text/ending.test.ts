import { render } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';
import Ending from './ending.svelte';

function parts(text: string, end: string): (string | undefined)[] {
  const { container } = render(Ending, { text, end });
  return ['.begin', '.end'].map((part) => container.querySelector(part)?.textContent ?? undefined);
}

describe('Ending', () => {
  it('keeps what stands at the end apart from what may be cut', () => {
    expect(parts('SQL injection from 192.0.2.1', '192.0.2.1')).toEqual(['SQL injection from ', '192.0.2.1']);
  });

  it('cuts at the end where there is nothing to keep', () => {
    expect(parts('SQL injection', '192.0.2.1')).toEqual(['SQL injection', undefined]);
    expect(parts(`Login of ${'a'.repeat(80)}`, 'a'.repeat(80))[1], 'an end that leaves no room').toBeUndefined();
    expect(parts('192.0.2.1', '192.0.2.1')[1]).toBeUndefined();
  });

  it('shows hidden characters of both', () => {
    expect(parts('x\u202e from \u202ey', '\u202ey').join('')).not.toContain('\u202e');
  });
});
