import { fireEvent, render, waitFor } from '@testing-library/svelte';
import { tick } from 'svelte';
import { afterEach, describe, expect, it } from 'vitest';
import type { EventFigures } from '$ui/generated/model';
import { demoPlatform } from '$ui/platform/demo/index';
import { App, appContext } from '$ui/state/app.svelte';
import { period } from '$ui/state/period.svelte';
import { parseRoute, router } from '$ui/state/router.svelte';
import { hook, requests } from '$ui/test-hook';
import { EventRows } from './event-rows.svelte';
import EventsDrawer from './events-drawer.svelte';
import { closeEvents, openEvents, pendingEvents } from './events-request.svelte';

afterEach(() => closeEvents());

describe('the rows behind a figure', () => {
  it('are shown to whoever pressed before the drawer was there, and left by a link', async () => {
    router.go('overview');
    openEvents({ title: 'Failed logins', period: null });
    render(EventsDrawer, { context: appContext(new App(demoPlatform())) });
    await waitFor(() => hook('event-row'));
    expect(pendingEvents.request).not.toBeNull();
    router.go('entities', 'ip:203.0.113.7');
    await waitFor(() => expect(pendingEvents.request).toBeNull());
  });

  it('are counted in all, and can be gone on with in Events, for the same period', async () => {
    const platform = demoPlatform();
    const figures = platform.answers.event_figures;
    platform.answers.event_figures = async (request) => ({ ...((await figures?.(request)) as EventFigures), total: 1_203 });
    render(EventsDrawer, { context: appContext(new App(platform)) });
    const span = { from: '2026-11-20T00:00:00.000Z', to: '2026-11-21T00:00:00.000Z' };
    openEvents({ title: 'Failed calls', period: span, category: ['api_usage', 'authentication'], outcome: 'failure', entity: { kind: 'user', value: 'anna s' }, query: 'a or b' });
    await waitFor(() => expect(hook('events-count').textContent).toMatch(/^Newest 200 of 1,203 events/));
    const q = '(a or b) category:(api_usage authentication) outcome:failure user:"anna s"';
    expect(requests(platform, 'event_figures')).toMatchObject([{ period: span, query: q }]);
    const link = hook('events-open');
    expect(parseRoute(link.getAttribute('href') ?? '')).toMatchObject({ panel: 'events', query: { q } });
    await fireEvent.click(link);
    expect(period.current).toEqual(span);
    period.preset = '24h';
  });

  it('ask once for a page that fails, say so, and ask again when told to', async () => {
    const platform = demoPlatform();
    const answer = platform.answers.event_page;
    let down = true;
    platform.answers.event_page = async (request) => {
      const failure: unknown = { code: 'unavailable', message: 'the database does not answer' };
      if (request.after !== null && down) throw failure;
      const page = await answer?.({ ...request, limit: 5 });
      if (page === undefined) throw new Error('the demo has events');
      return page;
    };
    render(EventsDrawer, { context: appContext(new App(platform)) });
    openEvents({ title: 'Failed logins', period: null });
    await waitFor(() => hook('events-more-error'));
    for (let turn = 0; turn < 20; turn += 1) await tick();
    expect(requests(platform, 'event_page'), 'the first page and one try of the second').toHaveLength(2);
    expect(hook('events-more-error').textContent).toContain('the database does not answer');
    down = false;
    await fireEvent.click(hook('events-retry'));
    await waitFor(() => expect(document.querySelector('[data-test=events-more-error]')).toBeNull());
    await waitFor(() => expect(requests(platform, 'event_page').length).toBeGreaterThan(2));
  });

  it('lead to the page of the endpoint, as to those of address and user', async () => {
    const platform = demoPlatform();
    const answer = platform.answers.event_page;
    platform.answers.event_page = async (request) => {
      const page = await answer?.(request);
      const first = page?.rows.find((row) => row.http !== null);
      if (first === undefined || first.http === null) throw new Error('the demo has requests');
      return { rows: [{ ...first, resource: null, http: { ...first.http, path: '/cgi-bin/.%2e/' } }], next: null };
    };
    render(EventsDrawer, { context: appContext(new App(platform)) });
    openEvents({ title: 'Failed logins', period: null });
    await waitFor(() => hook('event-row'));
    await fireEvent.click(hook('event-row'));
    const link = await waitFor(() => hook('event-endpoint').querySelector('a'));
    expect(parseRoute(link?.getAttribute('href') ?? '')).toMatchObject({ panel: 'entities', detail: 'endpoint:/cgi-bin/.%2e/' });
  });

  it('leave a page that failed alone while a person scrolls to and fro', async () => {
    const platform = demoPlatform();
    const failure: unknown = { code: 'unavailable', message: 'the database does not answer' };
    const [event] = (await platform.call('event_page', { period: null, category: [], severity: [], outcome: null, entity: null, text: null, query: null, after: null, limit: 1 })).rows;
    if (event === undefined) throw new Error('the demo has events');
    platform.answers.event_page = ({ after }) => {
      if (after !== null) throw failure;
      return { rows: [event], next: 'more' };
    };
    const list = new EventRows(new App(platform), { period: null, category: [], severity: [], outcome: null, entity: null, text: null, query: null });
    await list.more();
    await list.more();
    const asked = platform.calls.length;
    await list.more();
    expect(platform.calls).toHaveLength(asked);
    expect(list.error?.message).toBe('the database does not answer');
    await list.retry();
    expect(platform.calls).toHaveLength(asked + 1);
  });
});
