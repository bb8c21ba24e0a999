import { render } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';
import Hostile from './hostile.svelte';

describe('Hostile', () => {
  it('makes text of markup', () => {
    const { container } = render(Hostile, { text: '<img src=x onerror=alert(1)><script>x</script>' });
    expect(container.querySelector('img, script')).toBeNull();
    expect(container.textContent).toBe('<img src=x onerror=alert(1)><script>x</script>');
  });

  it('shows what hides, apart from the rest', () => {
    const { container } = render(Hostile, { text: 'invoice\u202egpj.exe' });
    expect(container.textContent).toBe('invoice\\u{202e}gpj.exe');
    expect(container.querySelector('.escape')?.textContent).toBe('\\u{202e}');
    expect(container.querySelector('bdi'), 'isolated from its surroundings').not.toBeNull();
  });

  it.each([
    ['id=1 OR 1=1', [5, 11], 'OR 1=1'],
    ['😀😀 OR', [3, 5], 'OR'],
    ['a\u0000b', [1, 3], '\\x00b'],
    ['abc', [2, 99], 'c'],
  ] as const)('marks the span of %j', (text, span, marked) => {
    const { container } = render(Hostile, { text, span });
    expect([...container.querySelectorAll('mark')].map((mark) => mark.textContent).join('')).toBe(marked);
  });
});
