import { fireEvent, render, waitFor } from '@testing-library/svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Event } from '$ui/generated/model';
import { FakePlatform } from '$ui/platform/fake';
import { App, appContext } from '$ui/state/app.svelte';
import { hook, requests, type } from '$ui/test-hook';
import { marksIn, SHOWN_MS } from './sealed';
import SealedValues from './sealed-values.svelte';

const EVENT: Event = {
  id: '019a0000-0000-7000-8000-000000000001',
  at: '2026-11-21T12:00:00Z',
  category: 'api_usage',
  type: 'request',
  severity: 'info',
  outcome: 'unknown',
  actor: null,
  source_ip: null,
  session: null,
  resource: null,
  action: null,
  count: 1,
  http: null,
  details: { password: '[sealed:password:1f0c3a9b-77de0142]', again: 'x [sealed:password:1f0c3a9b-77de0142]', other: '[sealed:token:00000000-11111111]', no: '[sealed:password] [sealed:constructor:00000000-11111111]' },
  tags: [],
  risk: null,
};
const VALUE = '<img src=x onerror=alert(1)>';

let platform: FakePlatform;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  platform = new FakePlatform({ event_reveal: () => ({ kind: 'password', field: 'details.password', value: VALUE }) });
  render(SealedValues, { props: { event: EVENT }, context: appContext(new App(platform)) });
});

afterEach(() => vi.useRealTimers());

describe('what was sealed in an event', () => {
  it('is listed by kind, each once', () => {
    expect(marksIn(EVENT)).toEqual([
      { kind: 'password', mark: 'password:1f0c3a9b-77de0142' },
      { kind: 'token', mark: 'token:00000000-11111111' },
    ]);
    expect(document.querySelectorAll('[data-test=sealed-reveal]')).toHaveLength(2);
  });

  it('is shown for a reason, as text, and goes again', async () => {
    await fireEvent.click(hook('sealed-reveal'));
    expect(hook<HTMLButtonElement>('sealed-confirm').disabled, 'a reason is needed').toBe(true);
    await type('sealed-reason', 'was it leaked?');
    await fireEvent.click(hook('sealed-confirm'));
    await waitFor(() => expect(hook('sealed-value').textContent).toBe(VALUE));
    expect(document.querySelector('img')).toBeNull();
    expect(requests(platform, 'event_reveal')).toEqual([{ id: EVENT.id, mark: 'password:1f0c3a9b-77de0142', reason: 'was it leaked?' }]);
    await vi.advanceTimersByTimeAsync(SHOWN_MS);
    expect(document.querySelector('[data-test=sealed-value]')).toBeNull();
    expect(document.body.textContent).not.toContain(VALUE);
  });
});
