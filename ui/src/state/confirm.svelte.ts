// The question before a change in production. One at a time; the answer comes from the dialog in the shell.

export interface Question {
  what: string;
  /** What the core measured of it, such as the share of the keys. */
  measured: string | null;
  /** The person types this name to agree. */
  connection: string;
}

export class Confirmations {
  question = $state.raw<Question | null>(null);
  #answer: ((agreed: boolean) => void) | null = null;

  /** Asks; resolves to whether the person agreed. A question that is still open is declined. */
  ask(what: string, connection: string, measured: string | null = null): Promise<boolean> {
    this.answer(false);
    this.question = { what, connection, measured };
    return new Promise((resolve) => {
      this.#answer = resolve;
    });
  }

  answer(agreed: boolean): void {
    const resolve = this.#answer;
    this.#answer = null;
    this.question = null;
    resolve?.(agreed);
  }
}
