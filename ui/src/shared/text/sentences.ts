// What the backend says, set as sentences: it writes `no server answers at 10.0.0.1:6379`, without a capital and an end.

/** A word, and not what is written as it is: a command, a path, the id of a rule. */
const WORD = /^(?!watchpost\s)\p{Ll}+(?=[\s,])/u;
const ENDED = /[.!?…:;]$/u;

function capital(text: string): string {
  return WORD.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text;
}

/** Each with a capital, one after the other. The last one's end stays as it is: it may be something to copy. */
export function sentences(...texts: readonly (string | null)[]): string {
  const said = texts.filter((text): text is string => text !== null && text !== '').map(capital);
  return said.map((text, at) => (at + 1 === said.length || ENDED.test(text) ? text : `${text}.`)).join(' ');
}
