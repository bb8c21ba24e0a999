// Colours of tokens.css as numbers, for the test of their contrast: oklch, light-dark(), var() and color-mix(), laid over
// each other as a browser does.

/** Linear-light oklab with alpha: what color-mix(in oklab) mixes. */
export interface Colour {
  l: number;
  a: number;
  b: number;
  alpha: number;
}

export type Rgb = readonly [number, number, number];

const CLEAR: Colour = { l: 0, a: 0, b: 0, alpha: 0 };

/** The arguments of a function, which may hold functions: `var(--a) 20%, transparent`. */
function parts(text: string): string[] {
  const found: string[] = [];
  let depth = 0;
  let from = 0;
  for (const [at, char] of [...text].entries()) {
    if (char === '(') depth += 1;
    else if (char === ')') depth -= 1;
    else if (char === ',' && depth === 0) {
      found.push(text.slice(from, at).trim());
      from = at + 1;
    }
  }
  return [...found, text.slice(from).trim()];
}

function mixed(one: Colour, other: Colour, share: number): Colour {
  const alpha = one.alpha * share + other.alpha * (1 - share);
  if (alpha === 0) return CLEAR;
  const part = (of: 'l' | 'a' | 'b'): number => (one[of] * one.alpha * share + other[of] * other.alpha * (1 - share)) / alpha;
  return { l: part('l'), a: part('a'), b: part('b'), alpha };
}

/** A colour with the tokens of a theme put in; throws at what it does not know. */
export function colour(text: string, tokens: ReadonlyMap<string, string>, theme: 'light' | 'dark'): Colour {
  const of = (inner: string): Colour => colour(inner, tokens, theme);
  if (text === 'transparent') return CLEAR;
  const call = /^([\w-]+)\(([^]*)\)$/.exec(text);
  if (call === null) throw new Error(`${text} is no colour`);
  const [, name = '', inner = ''] = call;
  const given = parts(inner);
  if (name === 'var') {
    const value = tokens.get(given[0] ?? '');
    if (value === undefined) throw new Error(`there is no token ${inner}`);
    return of(value);
  }
  if (name === 'light-dark') return of(given[theme === 'light' ? 0 : 1] ?? '');
  if (name === 'color-mix') {
    const [one, other] = given.slice(1).map((part) => /^(.*?)(?:\s+([\d.]+)%)?$/.exec(part));
    // Mixing with nothing in oklch is the same as in oklab; other hues are not mixed anywhere.
    if (given[0] !== 'in oklab' && other?.[1] !== 'transparent') throw new Error(`${text} mixes hues`);
    const share = one?.[2] !== undefined ? Number(one[2]) / 100 : other?.[2] !== undefined ? 1 - Number(other[2]) / 100 : 0.5;
    return mixed(of(one?.[1] ?? ''), of(other?.[1] ?? ''), share);
  }
  const numbers = /^([\d.]+)% ([\d.]+) ([\d.]+)(?: \/ ([\d.]+))?$/.exec(inner);
  if (name !== 'oklch' || numbers === null) throw new Error(`${text} is no colour`);
  const [l, chroma, hue] = [Number(numbers[1]) / 100, Number(numbers[2]), (Number(numbers[3]) * Math.PI) / 180];
  return { l, a: chroma * Math.cos(hue), b: chroma * Math.sin(hue), alpha: numbers[4] === undefined ? 1 : Number(numbers[4]) };
}

function linear({ l, a, b }: Colour): Rgb {
  const long = (l + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const middle = (l - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const short = (l - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const clamp = (value: number): number => Math.min(Math.max(value, 0), 1);
  return [
    clamp(4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short),
    clamp(-1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short),
    clamp(-0.0041960863 * long - 0.7034186147 * middle + 1.707614701 * short),
  ];
}

/** What is seen of colours that lie over each other, the back one first; in sRGB, as browsers lay them. */
export function laid(...layers: readonly Colour[]): Rgb {
  const encode = (value: number): number => (value <= 0.0031308 ? value * 12.92 : 1.055 * value ** (1 / 2.4) - 0.055);
  let seen: Rgb = [0, 0, 0];
  for (const layer of layers) {
    const [red, green, blue] = linear(layer).map(encode) as unknown as Rgb;
    const over = (top: number, below: number): number => top * layer.alpha + below * (1 - layer.alpha);
    seen = [over(red, seen[0]), over(green, seen[1]), over(blue, seen[2])];
  }
  return seen;
}

/** The contrast of WCAG 2.2, 1 to 21. */
export function contrast(one: Rgb, other: Rgb): number {
  const decode = (value: number): number => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const luminance = (rgb: Rgb): number => 0.2126 * decode(rgb[0]) + 0.7152 * decode(rgb[1]) + 0.0722 * decode(rgb[2]);
  const [a, b] = [luminance(one), luminance(other)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}
