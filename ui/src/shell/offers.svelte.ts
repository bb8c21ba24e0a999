// What the panel that is shown lets be done to what is open or chosen in it: the palette offers the same as its keys and menus.

import type { Command } from '$ui/shared/palette/match';

class Offers {
  /** Asked when the palette opens. */
  #source = $state.raw<(() => Command[]) | null>(null);

  /** To be called by a panel; the returned function takes it back. */
  give(source: () => Command[]): () => void {
    this.#source = source;
    return () => {
      if (this.#source === source) this.#source = null;
    };
  }

  get commands(): Command[] {
    return this.#source?.() ?? [];
  }
}

export const offers = new Offers();
