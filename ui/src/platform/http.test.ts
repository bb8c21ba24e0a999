import { afterEach, describe, expect, it, vi } from 'vitest';
import { makeStatus } from './demo/workspace';
import { HttpPlatform } from './http';

interface Sent {
  url: string;
  headers: Record<string, string>;
  body: unknown;
}

function platformAnswering(answer: (url: string) => { status: number; body: unknown }): { platform: HttpPlatform; sent: Sent[] } {
  const sent: Sent[] = [];
  const platform = new HttpPlatform({
    base: 'http://127.0.0.1:7000',
    token: 'secret-token',
    ask: () => null,
    fetch: (input, init) => {
      const url = input instanceof Request ? input.url : String(input);
      sent.push({ url, headers: init?.headers as Record<string, string>, body: JSON.parse(String(init?.body)) as unknown });
      const { status, body } = answer(url);
      return Promise.resolve(new Response(JSON.stringify(body), { status }));
    },
  });
  return { platform, sent };
}

describe('HttpPlatform', () => {
  afterEach(() => vi.useRealTimers());

  it('posts an operation with the token, and the confirmation when there is one', async () => {
    const { platform, sent } = platformAnswering(() => ({ status: 200, body: { number: 4 } }));
    await expect(platform.call('incident_take', { number: 4 })).resolves.toEqual({ number: 4 });
    await platform.call('incident_take', { number: 4 }, 'shop production');
    expect(sent[0]).toEqual({
      url: 'http://127.0.0.1:7000/api/v1/operations/incident_take',
      headers: { authorization: 'Bearer secret-token', 'content-type': 'application/json' },
      body: { number: 4 },
    });
    expect(sent[1]?.headers['x-watchpost-confirm']).toBe('shop production');
  });

  it('throws the error object of a failed operation', async () => {
    const { platform } = platformAnswering(() => ({ status: 409, body: { code: 'conflict', message: 'somebody was faster' } }));
    await expect(platform.call('incident_take', { number: 4 })).rejects.toEqual({ code: 'conflict', message: 'somebody was faster' });
  });

  it('looks at the workspace at intervals, and calls things stale when it moved', async () => {
    vi.useFakeTimers();
    let active = 1;
    const { platform } = platformAnswering((url) => ({ status: 200, body: url.endsWith('job_list') ? { runs: [] } : { ...makeStatus(active), newest_event: null } }));
    const changed: string[][] = [];
    const stop = platform.live((batch) => changed.push(batch.changed), () => undefined);
    await vi.advanceTimersByTimeAsync(0);
    await vi.advanceTimersByTimeAsync(2_000);
    active = 2;
    await vi.advanceTimersByTimeAsync(2_000);
    stop();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(changed.map((tags) => tags.includes('incidents'))).toEqual([true, false, true]);
  });
});
