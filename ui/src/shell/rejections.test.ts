import { expect, it } from 'vitest';
import { Toasts } from '$ui/state/toasts.svelte';
import { hearRejections } from './rejections';

/** What the browser does with a promise that was rejected and that nobody looks at. */
function reject(reason: unknown): void {
  dispatchEvent(Object.assign(new Event('unhandledrejection'), { reason }));
}

it('shows a failure that nobody handled, while it listens', () => {
  const toasts = new Toasts();
  const stop = hearRejections(toasts);
  reject({ code: 'unavailable', message: 'the database does not answer' });
  expect(toasts.shown.map((toast) => toast.text)).toEqual(['the database does not answer']);
  dispatchEvent(Object.assign(new Event('error'), { error: new TypeError('null is not an object') }));
  expect(toasts.shown.at(-1)?.text).toBe('null is not an object');
  dispatchEvent(Object.assign(new Event('error'), { error: undefined, message: 'ResizeObserver loop completed with undelivered notifications.' }));
  expect(toasts.shown, 'a remark is no failure').toHaveLength(2);
  stop();
  reject('later');
  expect(toasts.shown).toHaveLength(2);
});
