// The double for tests and for looking at the user interface without a backend: answers come from a table.

import type { LiveBatch } from '$ui/generated/model';
import type { FileDrag, OperationName, Platform, Reply, Request } from './types';

export type Answers = { [Name in OperationName]?: (request: Request<Name>) => Reply<Name> | Promise<Reply<Name>> };

export interface FakeCall {
  name: OperationName;
  request: unknown;
  confirmation?: string;
}

export class FakePlatform implements Platform {
  readonly kind = 'fake';
  /** Every call so far, oldest first. */
  readonly calls: FakeCall[] = [];
  readonly copied: string[] = [];
  readonly zooms: number[] = [];
  answers: Answers;
  /** Places that were opened in windows of their own. */
  readonly windows: string[] = [];
  /** What the shell was told to show outside of the window. */
  words: Readonly<Record<string, string>> = {};
  /** What the next file dialogs answer. */
  picked: string | null = null;
  readonly #routes = new Set<(route: string) => void>();
  readonly #drags = new Set<(drag: FileDrag) => void>();
  readonly #listeners = new Set<(batch: LiveBatch) => void>();
  #seq = 0;

  constructor(answers: Answers) {
    this.answers = answers;
  }

  async call<Name extends OperationName>(name: Name, request: Request<Name>, confirmation?: string): Promise<Reply<Name>> {
    if (confirmation === '?') {
      const error: unknown = { code: 'precondition', field: 'confirmation', message: 'this change needs a confirmation; it touches an estimated 15,683 of 1,204,000 keys (1.3 %)' };
      throw error;
    }
    this.calls.push({ name, request, ...(confirmation === undefined ? {} : { confirmation }) });
    const answer = this.answers[name];
    if (answer === undefined) {
      const error: unknown = { code: 'not_found', message: `the fake has no answer for ${name}` };
      throw error;
    }
    return await answer(request);
  }

  live(onBatch: (batch: LiveBatch) => void): () => void {
    this.#listeners.add(onBatch);
    return () => this.#listeners.delete(onBatch);
  }

  /** Sends a batch to everybody who listens. */
  push(batch: Omit<LiveBatch, 'seq'>): void {
    this.#seq += 1;
    for (const listener of this.#listeners) listener({ ...batch, seq: this.#seq });
  }

  links(onRoute: (route: string) => void): () => void {
    this.#routes.add(onRoute);
    return () => this.#routes.delete(onRoute);
  }

  /** A link from outside. */
  follow(route: string): void {
    for (const listener of this.#routes) listener(route);
  }

  drags(onDrag: (drag: FileDrag) => void): () => void {
    this.#drags.add(onDrag);
    return () => this.#drags.delete(onDrag);
  }

  /** Files over the window. */
  drag(drag: FileDrag): void {
    for (const listener of this.#drags) listener(drag);
  }

  pickSaveFile(): Promise<string | null> {
    return Promise.resolve(this.picked);
  }

  pickOpenFile(): Promise<string | null> {
    return Promise.resolve(this.picked);
  }

  pickFolder(): Promise<string | null> {
    return Promise.resolve(this.picked);
  }

  openWindow(route: string): Promise<void> {
    this.windows.push(route);
    return Promise.resolve();
  }

  readonly zoom = (factor: number): Promise<void> => {
    this.zooms.push(factor);
    return Promise.resolve();
  };

  uiReady(words: Readonly<Record<string, string>>): Promise<void> {
    this.words = words;
    return Promise.resolve();
  }

  copy(text: string): Promise<void> {
    this.copied.push(text);
    return Promise.resolve();
  }
}
