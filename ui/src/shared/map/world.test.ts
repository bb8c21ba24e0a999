import { describe, expect, it } from 'vitest';
import { codes, numberOf } from './codes';
import { atlasNames, borders, HEIGHT, land, middle, outline, place, WIDTH } from './world';

/** Where the atlas writes a name otherwise than everybody does: shortened, or of another day. */
const OTHERWISE: Readonly<Record<string, string>> = {
  BA: 'Bosnia and Herz.',
  CD: 'Dem. Rep. Congo',
  CF: 'Central African Rep.',
  CG: 'Congo',
  DO: 'Dominican Rep.',
  EH: 'W. Sahara',
  FK: 'Falkland Is.',
  GQ: 'Eq. Guinea',
  MK: 'Macedonia',
  MM: 'Myanmar',
  PS: 'Palestine',
  SB: 'Solomon Is.',
  SS: 'S. Sudan',
  TF: 'Fr. S. Antarctic Lands',
  TR: 'Turkey',
  TT: 'Trinidad and Tobago',
  US: 'United States of America',
};

describe('the atlas', () => {
  it('has every country under the code of its name', () => {
    const english = new Intl.DisplayNames('en', { type: 'region' });
    const names = atlasNames();
    const plain = (name: string): string => name.normalize('NFD').replace(/[^a-z]/gi, '').toLowerCase();
    const wrong = codes()
      .map((code) => [code, names.get(numberOf(code) ?? '') ?? 'nothing', english.of(code) ?? ''] as const)
      .filter(([code, atlas, name]) => plain(name) !== plain(atlas) && OTHERWISE[code] !== atlas);
    expect(wrong).toEqual([]);
    const known = new Set(codes().map(numberOf));
    expect([...names].filter(([id]) => !known.has(id)), 'none is left out but those without a number').toEqual([]);
  });

  it('is drawn within its frame', () => {
    expect(HEIGHT).toBeGreaterThan(350);
    expect(HEIGHT).toBeLessThan(WIDTH * 0.6);
    for (const d of [land, borders]) {
      expect(d.length).toBeGreaterThan(10_000);
      for (const [, x, y] of d.matchAll(/[ML](-?[\d.]+),(-?[\d.]+)/g)) {
        expect(Number(x) >= -0.1 && Number(x) <= WIDTH + 0.1 && Number(y) >= -0.1 && Number(y) <= HEIGHT + 0.1, `${x},${y}`).toBe(true);
      }
    }
  });

  it('knows where countries are', () => {
    expect(outline('NL')).toMatch(/^M[\d.,LZM]+Z$/);
    expect([outline('SG'), outline('<b>'), middle('ZZ')], 'too small for the atlas, and no country').toEqual([undefined, undefined, undefined]);
    const [lon, lat] = middle('FR') ?? [];
    expect(lon, 'in Europe, whatever else is France').toBeGreaterThan(-2);
    expect(lat).toBeGreaterThan(43);
    for (const country of codes()) {
      const [x, y] = middle(country) ?? [0, 0];
      expect(place(x, y), country).toBeDefined();
    }
  });

  it('places the east right of the west, and the north above the south', () => {
    const [sydney, lima, oslo] = [place(151, -34), place(-77, -12), place(10.7, 59.9)];
    expect((sydney?.x ?? 0) > (lima?.x ?? 0)).toBe(true);
    expect((oslo?.y ?? 0) < (lima?.y ?? 0)).toBe(true);
    expect(place(0, -89), 'below what is drawn').toBeUndefined();
  });
});
