import { render } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';
import { blocks, inline } from './markdown';
import Markdown from './markdown.svelte';

describe('a line', () => {
  it('has code, strong and emphasised words', () => {
    expect(inline('a **b c** `d**e**` *f* _g_')).toEqual([
      { kind: 'text', text: 'a ' },
      { kind: 'strong', text: 'b c' },
      { kind: 'text', text: ' ' },
      { kind: 'code', text: 'd**e**' },
      { kind: 'text', text: ' ' },
      { kind: 'em', text: 'f' },
      { kind: 'text', text: ' ' },
      { kind: 'em', text: 'g' },
    ]);
  });

  it('leaves names, sums and open marks as they are', () => {
    for (const text of ['snake_case_name', '2 * 3 * 4', '**open', '`open', 'a*b*c', '* x', '__init__']) expect(inline(text), text).toEqual([{ kind: 'text', text }]);
    expect(inline('')).toEqual([]);
  });

  it('is read in time however it is written', () => {
    const started = performance.now();
    for (const text of ['*'.repeat(10_000), '`'.repeat(10_000), '_a'.repeat(5_000), '**a'.repeat(3_000), '` '.repeat(5_000)]) inline(text);
    // A few milliseconds; the limit is for a machine that does much else.
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});

describe('a note', () => {
  it('has blocks', () => {
    const kinds = blocks('# Found\n\nfirst\nsecond\n- one\n* two\n\n3. three\n4) four\n> said\n> again\n```\n# no heading\n```\nend').map((block) => block.kind);
    expect(kinds).toEqual(['heading', 'lines', 'bullets', 'numbers', 'quote', 'code', 'lines']);
    expect(blocks('```\nopen\n')).toEqual([{ kind: 'code', text: 'open\n' }]);
    expect(blocks('\n \n')).toEqual([]);
  });

  it('is drawn as elements, and holds nothing but text', () => {
    const { container } = render(Markdown, { text: '**<img src=x onerror=alert(1)>** [go](javascript:alert(1)) ![x](http://a.example)\n- `<script>`\u202e\n\n```\n<iframe>\n```' });
    expect(container.querySelectorAll('a, img, script, iframe, [onerror], [href], [src]')).toHaveLength(0);
    expect(container.querySelector('strong')?.textContent).toBe('<img src=x onerror=alert(1)>');
    expect(container.textContent).toContain('[go](javascript:alert(1)) ![x](http://a.example)');
    expect(container.querySelector('li')?.textContent).toBe('<script>\\u{202e}');
    expect(container.querySelector('pre')?.textContent).toBe('<iframe>');
  });
});
