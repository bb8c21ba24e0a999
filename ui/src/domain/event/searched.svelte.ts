// The search of the Events panel, kept on this machine: who comes back finds it as it was.

const KEY = 'watchpost.events.query';

class Searched {
  #query = $state(localStorage.getItem(KEY) ?? '');

  get query(): string {
    return this.#query;
  }

  set query(query: string) {
    this.#query = query;
    localStorage.setItem(KEY, query);
  }
}

export const searched = new Searched();
