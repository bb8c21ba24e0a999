import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { demoPlatform } from '$ui/platform/demo/index';
import { App } from '$ui/state/app.svelte';
import { whenDrawn } from './first-figures';

describe('the first figures', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal('requestAnimationFrame', (then: () => void) => setTimeout(then, 16));
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it('are drawn when what is shown has its answers', async () => {
    const platform = demoPlatform();
    const answer = platform.answers.incident_page;
    let letGo = (): void => undefined;
    const gate = new Promise<void>((resolve) => (letGo = resolve));
    platform.answers.incident_page = async (request) => {
      await gate;
      if (answer === undefined) throw new Error('the demo has incidents');
      return await answer(request);
    };
    const app = new App(platform);
    const drawn = vi.fn();
    let there = false;
    whenDrawn(app, () => there, drawn);
    await vi.advanceTimersByTimeAsync(200);
    expect(drawn, 'nothing is known of the workspace').not.toHaveBeenCalled();
    await app.live.look();
    await vi.advanceTimersByTimeAsync(200);
    expect(drawn, 'the code of the panel is on its way').not.toHaveBeenCalled();
    there = true;
    app.queries.watch(app.queries.entry('incident_page', { filter: { status: [], severity: [], family: [], assignee: null, text: null, entity: null }, order: 'urgency', after: null, limit: 1 }));
    await vi.advanceTimersByTimeAsync(200);
    expect(drawn, 'the queue is on its way').not.toHaveBeenCalled();
    letGo();
    await vi.advanceTimersByTimeAsync(200);
    expect(drawn).toHaveBeenCalledOnce();
  });

  it('are not waited for without end, and not when the page is gone', async () => {
    const [drawn, gone] = [vi.fn(), vi.fn()];
    const app = new App(demoPlatform());
    whenDrawn(app, () => true, drawn);
    whenDrawn(app, () => true, gone)();
    await vi.advanceTimersByTimeAsync(3_200);
    expect(drawn).toHaveBeenCalledOnce();
    expect(gone).not.toHaveBeenCalled();
  });
});
