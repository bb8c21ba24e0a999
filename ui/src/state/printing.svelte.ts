// Is the page being printed? What is drawn only where it is seen is then drawn as a whole.

import { flushSync } from 'svelte';

class Printing {
  on = $state(false);

  /** Begins to listen; the returned function ends it. */
  start(): () => void {
    // The browser takes its picture when the handler returns: what changes is drawn before.
    const begin = (): void =>
      flushSync(() => {
        this.on = true;
      });
    const end = (): void => {
      this.on = false;
    };
    addEventListener('beforeprint', begin);
    addEventListener('afterprint', end);
    return () => {
      removeEventListener('beforeprint', begin);
      removeEventListener('afterprint', end);
      end();
    };
  }
}

export const printing = new Printing();
