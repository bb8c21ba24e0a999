import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tellWhole } from './whole';

beforeEach(() => addEventListener('pointerover', tellWhole));
afterEach(() => {
  removeEventListener('pointerover', tellWhole);
  document.body.replaceChildren();
});

/** Puts it on the page; `width` is what its words would take, and it has room for 100 pixels. */
function draw(html: string, width: number): HTMLElement {
  document.body.innerHTML = html;
  const cut = document.querySelector<HTMLElement>('.truncate');
  if (cut === null) throw new Error('nothing to cut');
  cut.style.textOverflow = 'ellipsis';
  setWidth(cut, width);
  return cut;
}

function setWidth(element: HTMLElement, width: number): void {
  Object.defineProperty(element, 'clientWidth', { value: 100, configurable: true });
  Object.defineProperty(element, 'scrollWidth', { value: width, configurable: true });
}

function point(selector: string): void {
  document.querySelector(selector)?.dispatchEvent(new Event('pointerover', { bubbles: true }));
}

describe('what is cut off', () => {
  it('is told whole where the pointer is, also inside of it', () => {
    const cut = draw('<p><span class="truncate">Dringendste <b>zuerst</b></span></p>', 180);
    point('b');
    expect(cut.title).toBe('Dringendste zuerst');
    cut.textContent = 'Schwerste zuerst, und noch etwas';
    point('.truncate');
    expect(cut.title, 'as it is by now').toBe('Schwerste zuerst, und noch etwas');
    setWidth(cut, 90);
    point('.truncate');
    expect(cut.hasAttribute('title'), 'there is room again').toBe(false);
  });

  it('needs no telling where it fits', () => {
    const cut = draw('<p><span class="truncate">Offen</span></p>', 40);
    point('.truncate');
    expect(cut.hasAttribute('title')).toBe(false);
  });

  it('leaves what was written for it, and says both where that says something else', () => {
    const own = draw('<p><span class="truncate" title="Gelöst">Harmloser Treffer</span></p>', 180);
    point('.truncate');
    expect(own.title).toBe('Gelöst');
    const inner = draw('<button title="Filter entfernen"><span class="truncate">Nicht angenommen</span></button>', 180);
    point('.truncate');
    expect(inner.title).toBe('Nicht angenommen\nFilter entfernen');
    const same = draw('<p title="Anmeldungen von 203.0.113.7"><span class="truncate">Anmeldungen</span></p>', 180);
    point('.truncate');
    expect(same.hasAttribute('title'), 'the whole is said already').toBe(false);
  });

  it('is told of the choice that is made', () => {
    document.body.innerHTML = '<select><option>Neueste zuerst</option><option>Dringendste zuerst</option></select>';
    const select = document.querySelector('select');
    if (select === null) throw new Error('no choice');
    select.selectedIndex = 1;
    point('select');
    expect(select.title).toBe('Dringendste zuerst');
  });
});
