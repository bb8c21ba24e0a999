import { expect, it } from 'vitest';
import { excerptOf } from './excerpt';

it('shows what was matched with a little before it, in the form decoded last', () => {
  const long = `${'a'.repeat(200)}<script>alert(1)</script>`;
  const found = excerptOf({
    matched: {
      field: 'http.query',
      layers: [
        { decoder: 'none', text: encodeURIComponent(long), span: null },
        { decoder: 'percent', text: long, span: [200, 208] },
      ],
    },
  });
  expect(found?.text).toBe(`…${'a'.repeat(16)}<script>alert(1)</script>`);
  expect(found?.text.slice(...(found.span))).toBe('<script>');
  expect(excerptOf({ matched: null })).toBeNull();
  expect(excerptOf(undefined)).toBeNull();
});
