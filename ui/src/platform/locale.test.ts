import { describe, expect, it } from 'vitest';
import { guardLocale } from './locale';

describe('guardLocale', () => {
  it.each([
    ['C', 'en-US'],
    ['POSIX_x', 'en-US'],
    ['de-AT', 'de-AT'],
    ['en', 'en'],
  ])('makes %s a tag that Intl accepts', (given, expected) => {
    const target = { language: given, languages: [given] } as unknown as Navigator;
    guardLocale(target);
    expect(target.language).toBe(expected);
    expect(() => new Intl.NumberFormat(target.language)).not.toThrow();
  });
});
