// The part of Markdown that notes are written in. Nothing of it loads, leads away or runs: a link stays the text it is.

export interface Inline {
  kind: 'text' | 'code' | 'strong' | 'em';
  text: string;
}

export type Block =
  | { kind: 'lines'; lines: Inline[][] }
  | { kind: 'quote'; lines: Inline[][] }
  | { kind: 'heading'; text: Inline[] }
  | { kind: 'bullets'; items: Inline[][] }
  | { kind: 'numbers'; items: Inline[][]; start: number }
  | { kind: 'code'; text: string };

/** Code first: what is in it is none of the others. */
const INLINE = /(?<ticks>`+)(?<code>.+?)\k<ticks>(?!`)|\*\*(?<strong>\S(?:.*?\S)?)\*\*|(?<![\w*])[*_](?<em>[^\s*_](?:[^*_]*[^\s*_])?)[*_](?![\w*])/gu;

/** One line in pieces. */
export function inline(line: string): Inline[] {
  const out: Inline[] = [];
  let at = 0;
  for (const found of line.matchAll(INLINE)) {
    if (found.index > at) out.push({ kind: 'text', text: line.slice(at, found.index) });
    const { code, strong, em = '' } = found.groups ?? {};
    if (code !== undefined) out.push({ kind: 'code', text: code.trim() === '' ? code : code.trim() });
    else out.push(strong === undefined ? { kind: 'em', text: em } : { kind: 'strong', text: strong });
    at = found.index + found[0].length;
  }
  if (at < line.length) out.push({ kind: 'text', text: line.slice(at) });
  return out;
}

/** A text in blocks, in its order; empty lines only separate. */
export function blocks(text: string): Block[] {
  const out: Block[] = [];
  const lines = text.split('\n');
  let fresh = true;
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] ?? '';
    const last = fresh ? undefined : out.at(-1);
    fresh = false;
    const fence = /^\s*(`{3,}|~{3,})/.exec(line)?.[1];
    const heading = /^#{1,6}\s+(.*\S)/.exec(line)?.[1];
    const quote = /^\s*>\s?(.*)$/.exec(line)?.[1];
    const bullet = /^\s*[-*+]\s+(.*)$/.exec(line)?.[1];
    const [, number, numbered] = /^\s*(\d{1,6})[.)]\s+(.*)$/.exec(line) ?? [];
    if (fence !== undefined) {
      const end = lines.findIndex((other, place) => place > index && other.trim() === fence);
      const stop = end === -1 ? lines.length : end;
      out.push({ kind: 'code', text: lines.slice(index + 1, stop).join('\n') });
      index = stop;
      fresh = true;
    } else if (line.trim() === '') fresh = true;
    else if (heading !== undefined) {
      out.push({ kind: 'heading', text: inline(heading) });
      fresh = true;
    } else if (quote !== undefined) {
      if (last?.kind === 'quote') last.lines.push(inline(quote));
      else out.push({ kind: 'quote', lines: [inline(quote)] });
    } else if (bullet !== undefined) {
      if (last?.kind === 'bullets') last.items.push(inline(bullet));
      else out.push({ kind: 'bullets', items: [inline(bullet)] });
    } else if (numbered !== undefined) {
      if (last?.kind === 'numbers') last.items.push(inline(numbered));
      else out.push({ kind: 'numbers', items: [inline(numbered)], start: Number(number) });
    } else if (last?.kind === 'lines') last.lines.push(inline(line));
    else out.push({ kind: 'lines', lines: [inline(line)] });
  }
  return out;
}
