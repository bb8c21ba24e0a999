import { fireEvent, render, screen } from '@testing-library/svelte';
import { tick, type Component } from 'svelte';
import { describe, expect, it, vi } from 'vitest';
import { FakePlatform } from '$ui/platform/fake';
import Toasts from '$ui/shared/feedback/toasts.svelte';
import { App, appContext } from '$ui/state/app.svelte';
import { hook } from '$ui/test-hook';
import Deferred from './deferred.svelte';
import { Lazy, loadInIdle } from './lazy.svelte';
import PanelPlace from './panel-place.svelte';

/** Any component that needs nothing but the application. */
const Part: Component = Toasts;

/** A part that comes, or fails, when the test says so. */
function held(): { lazy: Lazy; come: () => void; fail: () => void } {
  let settle: { resolve: (module: { default: Component }) => void; reject: (reason: unknown) => void } | undefined;
  const lazy = new Lazy(() => new Promise((resolve, reject) => (settle = { resolve, reject })));
  return { lazy, come: () => settle?.resolve({ default: Part }), fail: () => settle?.reject(new TypeError('Importing a module script failed.')) };
}

/** What was settled has been drawn. */
async function drawn(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
  await tick();
}

describe('Lazy', () => {
  it('is fetched once, however many want it', async () => {
    const fetch = vi.fn(() => Promise.resolve({ default: Part }));
    const lazy = new Lazy(fetch);
    expect(lazy.component).toBeUndefined();
    await Promise.all([lazy.load(), lazy.load()]);
    await lazy.load();
    expect(lazy.component).toBe(Part);
    expect(fetch).toHaveBeenCalledOnce();
  });

  it('says why it did not come, and comes when it is wanted again', async () => {
    const fetch = vi.fn(() => Promise.resolve({ default: Part }));
    fetch.mockRejectedValueOnce(new TypeError('Importing a module script failed.'));
    const lazy = new Lazy(fetch);
    await lazy.load();
    expect([lazy.component, lazy.fault?.message]).toEqual([undefined, 'Importing a module script failed.']);
    await lazy.load();
    expect([lazy.component, lazy.fault]).toEqual([Part, null]);
  });
});

describe('loadInIdle', () => {
  it('takes one part after the other, and goes on after one that does not come', async () => {
    const asked: string[] = [];
    const part = (name: string, comes = true): Lazy =>
      new Lazy(() => {
        asked.push(name);
        return comes ? Promise.resolve({ default: Part }) : Promise.reject(new Error('gone'));
      });
    const parts = [part('a'), part('b', false), part('c')];
    const waiting: (() => void)[] = [];
    loadInIdle(parts, (then) => {
      waiting.push(then);
      return () => undefined;
    });
    for (const expected of [[], ['a'], ['a', 'b'], ['a', 'b', 'c']]) {
      expect(asked).toEqual(expected);
      waiting.shift()?.();
      await vi.waitFor(() => expect(asked.length === 3 || waiting.length === 1).toBe(true));
    }
    expect(parts.map((one) => one.component !== undefined)).toEqual([true, false, true]);
  });

  it('ends when it is told to', async () => {
    const fetch = vi.fn(() => Promise.resolve({ default: Part }));
    let run = (): void => undefined;
    const cancelled = vi.fn();
    const stop = loadInIdle([new Lazy(fetch), new Lazy(fetch)], (then) => {
      run = then;
      return cancelled;
    });
    run();
    stop();
    await Promise.resolve();
    await Promise.resolve();
    expect(fetch).toHaveBeenCalledOnce();
    expect(cancelled).toHaveBeenCalledOnce();
  });
});

describe('PanelPlace', () => {
  it('holds the frame of the panel until its code is there', async () => {
    const { lazy, come } = held();
    render(PanelPlace, { props: { part: lazy, title: 'Reports' }, context: appContext(new App(new FakePlatform({}))) });
    expect([hook('panel-title').textContent, hook('loading').role]).toEqual(['Reports', 'status']);
    come();
    await drawn();
    expect(screen.queryByText('Reports')).toBeNull();
    expect(screen.getByRole('region', { name: 'Messages' })).toBeTruthy();
  });

  it('says why it is not there, and tries again', async () => {
    const { lazy, come, fail } = held();
    render(PanelPlace, { props: { part: lazy, title: 'Reports' }, context: appContext(new App(new FakePlatform({}))) });
    fail();
    await drawn();
    expect(hook('error-state').textContent).toContain('Importing a module script failed.');
    expect(hook('panel-title').textContent).toBe('Reports');
    await fireEvent.click(hook('retry'));
    expect(hook('loading')).toBeTruthy();
    come();
    await drawn();
    expect(document.querySelector('[data-test=error-state]')).toBeNull();
  });
});

describe('Deferred', () => {
  it('is fetched when it is wanted, and stays', async () => {
    const { lazy, come } = held();
    const load = vi.spyOn(lazy, 'load');
    const app = new App(new FakePlatform({}));
    const { rerender } = render(Deferred, { props: { part: lazy, wanted: false, close: vi.fn() }, context: appContext(app) });
    expect(load).not.toHaveBeenCalled();
    await rerender({ wanted: true });
    come();
    await drawn();
    await rerender({ wanted: false });
    expect(screen.getByRole('region', { name: 'Messages' })).toBeTruthy();
  });

  it('takes the wish back when its code does not come, and can be wished for again', async () => {
    const { lazy, come, fail } = held();
    const close = vi.fn();
    const app = new App(new FakePlatform({}));
    const { rerender } = render(Deferred, { props: { part: lazy, wanted: true, close }, context: appContext(app) });
    fail();
    await drawn();
    expect(close).toHaveBeenCalledOnce();
    expect(app.toasts.shown.map((toast) => [toast.kind, toast.text])).toEqual([['failed', 'Importing a module script failed.']]);
    await rerender({ wanted: false });
    await rerender({ wanted: true });
    come();
    await drawn();
    expect(screen.getByRole('region', { name: 'Messages' })).toBeTruthy();
  });
});

it('nothing but the list of panels takes in a view, or the first paint would wait for it', () => {
  const files = import.meta.glob<string>(['../**/*.ts', '../**/*.svelte', '!../**/*.test.ts', '!../views/**'], { query: '?raw', import: 'default', eager: true });
  const takers = Object.entries(files).filter(([, code]) => /from '(\$ui|\.\.)\/views\/(?!welcome)/.test(code));
  expect(takers.map(([path]) => path)).toEqual([]);
  expect(Object.entries(files).filter(([, code]) => code.includes("import('$ui/views/")).map(([path]) => path)).toEqual(['./panels.ts']);
});

describe('a panel that breaks', () => {
  it('says so in its place, is tried again, and does not stand in the way of another one', async () => {
    let broken = true;
    const Fragile: Component = (...given) => {
      if (broken) throw new TypeError('undefined is not an object');
      return Part(...given);
    };
    const [fragile, sound] = [new Lazy(() => Promise.resolve({ default: Fragile })), new Lazy(() => Promise.resolve({ default: Part }))];
    await Promise.all([fragile.load(), sound.load()]);
    const context = appContext(new App(new FakePlatform({})));
    const view = render(PanelPlace, { props: { part: fragile, title: 'Reports' }, context });
    expect(hook('error-state').textContent).toContain('Undefined is not an object');
    expect(screen.getByRole('heading', { level: 1 }).textContent).toContain('Reports');

    await view.rerender({ part: sound });
    await drawn();
    expect(document.querySelector('[data-test=error-state]'), 'another panel').toBeNull();
    await view.rerender({ part: fragile });
    expect(hook('error-state')).toBeTruthy();
    broken = false;
    await fireEvent.click(hook('retry'));
    await drawn();
    expect(document.querySelector('[data-test=error-state]')).toBeNull();
  });
});
