import { describe, expect, it } from 'vitest';
import { countryName, placeText } from './place';

describe('a place in words', () => {
  it('names countries, and shows what is none as it is', () => {
    expect(['NL', 'nl', '<b>', 'ZZ9'].map(countryName)).toEqual(['Netherlands', 'nl', '<b>', 'ZZ9']);
  });

  it('says what is known of it', () => {
    expect(placeText({ city: 'Amsterdam', country: 'NL', org: 'Example Hosting', lat: 52.4, lon: 4.9 })).toBe('Amsterdam, Netherlands, Example Hosting');
    expect([placeText({ org: 'Example Hosting' }), placeText(null), placeText({})]).toEqual(['Example Hosting', '', '']);
  });
});
