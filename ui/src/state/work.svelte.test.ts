import { flushSync, tick } from 'svelte';
import { describe, expect, it, vi } from 'vitest';
import { OperationError } from './error';
import { Work } from './work.svelte';

interface Held<Done> {
  promise: Promise<Done>;
  resolve: (done: Done) => void;
  reject: (reason: unknown) => void;
}

function held<Done>(): Held<Done> {
  let settle: Omit<Held<Done>, 'promise'> | undefined;
  const promise = new Promise<Done>((resolve, reject) => (settle = { resolve, reject }));
  return { promise, resolve: (done) => settle?.resolve(done), reject: (reason) => settle?.reject(reason) };
}

describe('Work', () => {
  it('is busy while it is under way, and says what it came to', async () => {
    const work = new Work<'save' | 'test'>();
    const { promise, resolve } = held<number>();
    const running = work.run(() => promise, 'save');
    expect([work.busy, work.doing]).toEqual([true, 'save']);
    resolve(7);
    await expect(running).resolves.toBe(7);
    expect([work.busy, work.doing, work.fault]).toEqual([false, null, null]);
  });

  it('ignores a second press', async () => {
    const work = new Work();
    const { promise, resolve } = held<string>();
    const second = vi.fn(() => Promise.resolve('second'));
    const running = work.run(() => promise);
    await expect(work.run(second)).resolves.toBeNull();
    resolve('first');
    await expect(running).resolves.toBe('first');
    expect(second).not.toHaveBeenCalled();
    await expect(work.run(second), 'afterwards it can be pressed again').resolves.toBe('second');
  });

  it('keeps why it failed until the next one begins', async () => {
    const work = new Work();
    await expect(work.run(() => Promise.reject({ code: 'conflict', message: 'taken by Teo', field: 'target' }))).resolves.toBeNull();
    expect(work.fault).toMatchObject({ code: 'conflict', message: 'taken by Teo', field: 'target' });
    const { promise, resolve } = held<null>();
    const running = work.run(() => promise);
    expect(work.fault).toBeNull();
    resolve(null);
    await running;
  });

  it('takes what is thrown before the first wait as a failure like any other', async () => {
    const work = new Work();
    await work.run(() => {
      throw new OperationError('validation', 'no number');
    });
    expect([work.busy, work.fault?.message]).toEqual([false, 'no number']);
  });

  it('says nothing of what comes late to a place that is about something else', async () => {
    const work = new Work();
    const first = held<number>();
    const second = held<number>();
    const before = work.run(() => first.promise);
    work.reset();
    expect(work.busy, 'the new place can be used at once').toBe(false);
    const after = work.run(() => second.promise);
    first.reject(new Error('too late'));
    await before;
    expect([work.busy, work.fault]).toEqual([true, null]);
    second.resolve(1);
    await after;
    expect(work.busy).toBe(false);
  });

  it('gives the focus back that a disabled button lost, but takes it from nobody', async () => {
    const [button, other] = [document.createElement('button'), document.createElement('input')];
    document.body.append(button, other);
    const work = new Work();
    const { promise, resolve } = held<null>();
    button.focus();
    const running = work.run(() => promise);
    // What a browser does with the focus of a control that becomes disabled.
    button.blur();
    button.disabled = true;
    expect(document.activeElement).toBe(document.body);
    button.disabled = false;
    resolve(null);
    await running;
    await tick();
    expect(document.activeElement).toBe(button);

    await work.run(() => {
      other.focus();
      return Promise.resolve(null);
    });
    await tick();
    expect(document.activeElement).toBe(other);
    await work.run(() => {
      other.remove();
      return Promise.resolve(null);
    });
    await tick();
    expect(document.activeElement, 'what is gone gets no focus').toBe(document.body);
    button.remove();
  });

  it('tells those who look', async () => {
    const seen: string[] = [];
    const work = new Work();
    const stop = $effect.root(() => {
      $effect(() => void seen.push(`${work.doing ?? '-'} ${work.fault?.message ?? '-'}`));
    });
    flushSync();
    const running = work.run(() => Promise.reject(new Error('gone')), 'save');
    flushSync();
    await running;
    flushSync();
    stop();
    expect(seen).toEqual(['- -', 'save -', '- gone']);
  });
});

it('is how everything that a person starts is guarded', () => {
  const files = import.meta.glob<string>(['../{domain,views}/**/*.ts', '../{domain,views}/**/*.svelte', '!../**/*.test.ts'], { query: '?raw', import: 'default', eager: true });
  const byHand = Object.entries(files).filter(([, code]) => /\b(?:busy|saving|testing|sending|reloading)\s*=\s*\$state|\b(?:busy|saving|testing|sending|reloading)\s*=\s*(?:true|false|null);/.test(code));
  expect(byHand.map(([path]) => path)).toEqual([]);
  expect(Object.values(files).filter((code) => code.includes('new Work')).length).toBeGreaterThan(25);
});
