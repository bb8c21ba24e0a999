// What is cut off for want of room is told whole where the pointer rests: in another language, or a narrower window, words
// are longer than their place. Looked at when the pointer comes, for what fits needs no telling.

/** So far outside of what is pointed at it is looked for what is cut. */
const UP_MAX = 5;
/** Characters of what is told. */
const MOST = 600;

/** The titles that were given here; any other one was written for its element. */
const given = new WeakMap<Element, string>();

function writtenTitle(element: HTMLElement): string {
  return given.get(element) === element.title ? '' : element.title;
}

function isCut(element: HTMLElement): boolean {
  return element.scrollWidth > element.clientWidth && getComputedStyle(element).textOverflow === 'ellipsis';
}

function wordsOf(element: HTMLElement): string {
  if (element instanceof HTMLSelectElement) return element.options[element.selectedIndex]?.text ?? '';
  return element.innerText.replace(/\s+/g, ' ').trim();
}

/** What is said around it by those who wrote it. */
function saidAround(element: HTMLElement): string {
  for (let outer = element.parentElement; outer !== null; outer = outer.parentElement) {
    const title = writtenTitle(outer);
    if (title !== '') return title;
  }
  return '';
}

function tell(element: HTMLElement): void {
  const words = wordsOf(element);
  const around = saidAround(element);
  if (words === '' || around.includes(words)) return;
  const whole = words.length > MOST ? `${words.slice(0, MOST)}…` : words;
  const title = around === '' ? whole : `${whole}\n${around}`;
  given.set(element, title);
  element.title = title;
}

/** Gives what is cut under the pointer a title, unless one was written for it; takes it away where it is not cut any more. */
export function tellWhole({ target }: Event): void {
  let element = target instanceof HTMLElement ? target : null;
  for (let up = 0; element !== null && up < UP_MAX; up += 1, element = element.parentElement) {
    if (writtenTitle(element) !== '') return;
    // How much of a choice is seen, no browser tells.
    if (element instanceof HTMLSelectElement || isCut(element)) {
      tell(element);
      return;
    }
    if (given.delete(element)) element.removeAttribute('title');
  }
}
