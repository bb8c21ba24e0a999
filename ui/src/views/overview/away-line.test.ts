import { fireEvent, render, waitFor } from '@testing-library/svelte';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Incident, Kpi, OverviewRequest, Severity } from '$ui/generated/model';
import { pendingEvents } from '$ui/domain/event/events-request.svelte';
import { demoPlatform } from '$ui/platform/demo/index';
import type { FakePlatform } from '$ui/platform/fake';
import { App, appContext } from '$ui/state/app.svelte';
import { lastLook } from '$ui/state/last-look.svelte';
import { prefs } from '$ui/state/prefs.svelte';
import { hook, requests } from '$ui/test-hook';
import OverviewView from './overview-view.svelte';

const FROM = Date.UTC(2026, 10, 20, 14, 20);
const TO = Date.UTC(2026, 10, 20, 20, 25);

const FIGURES: Record<string, [value: number, previous: number]> = { events: [12_004, 9], auth_failures: [1, 9], incidents_opened: [4, 9], incidents_active: [14, 9], blocks_active: [3, 5] };

/** An overview of the time away, with these incidents. */
async function show(incidents: readonly (readonly [number: number, severity: Severity, first: number, opened: number])[] = []): Promise<FakePlatform> {
  const platform = demoPlatform();
  const answer = platform.answers.overview;
  platform.answers.overview = async (request) => {
    const made = await answer?.(request);
    if (made === undefined) throw new Error('the demo has an overview');
    if (request.buckets !== 1) return made;
    const [one] = made.incidents;
    if (one === undefined) throw new Error('the demo has incidents');
    return {
      ...made,
      kpis: made.kpis.map((kpi): Kpi => ({ ...kpi, value: FIGURES[kpi.name]?.[0] ?? null, previous: FIGURES[kpi.name]?.[1] ?? null })),
      incidents: incidents.map(([number, severity, first, opened]): Incident => ({ ...one, id: String(number), number, severity, first_seen: new Date(first).toISOString(), opened_at: new Date(opened).toISOString() })),
    };
  };
  render(OverviewView, { context: appContext(new App(platform)) });
  await waitFor(() => hook('overview'));
  return platform;
}

beforeEach(() => {
  localStorage.clear();
  prefs.zone = 'utc';
  lastLook.away = null;
  // Looked, was away, and came back.
  lastLook.look('a', FROM);
  lastLook.look('a', TO);
  pendingEvents.request = null;
});

afterEach(() => {
  lastLook.seen();
  prefs.zone = 'local';
});

describe('since the last look', () => {
  it('says what the backend counted in the time away', async () => {
    const platform = await show();
    await waitFor(() => hook('away-figures'));
    expect((requests(platform, 'overview') as OverviewRequest[]).find((request) => request.buckets === 1)?.period).toEqual({ from: '2026-11-20T14:20:00.000Z', to: '2026-11-20T20:25:00.000Z' });
    expect(hook('away').textContent).toContain('away for 6 h 5 min, from 2026-11-20 14:20');
    expect([...document.querySelectorAll('[data-test=away-figures] li')].map((item) => item.textContent?.replace(/\s+/g, ' ').trim())).toEqual(['4 new incidents', 'Active incidents 9 → 14', 'Active blocks 5 → 3', '12,004 events', '1 failed login']);
  });

  it('names the worst of what is new', async () => {
    await show([
      [7, 'critical', FROM - 60_000, FROM - 1],
      [8, 'low', FROM + 60_000, FROM + 60_000],
      [9, 'high', FROM + 60_000, FROM + 60_000],
      [10, 'high', FROM + 60_000, FROM + 60_000],
      [11, 'critical', FROM, FROM + 60_000],
    ]);
    await waitFor(() => hook('away-incident'));
    expect([...document.querySelectorAll('[data-test=away-incident]')].map((link) => link.getAttribute('href')), 'not the one that was there before').toEqual(['#/incidents/11', '#/incidents/10', '#/incidents/9']);
  });

  it('opens the rows behind its figures', async () => {
    await show();
    await waitFor(() => hook('away-figures'));
    expect(hook('away-incidents').getAttribute('href'), 'the newest first is how the queue comes').toBe('#/incidents?status=all');
    await fireEvent.click(hook('away-failures'));
    expect(pendingEvents.request).toMatchObject({ category: ['authentication'], outcome: 'failure', period: { from: '2026-11-20T14:20:00.000Z' } });
  });

  it('goes when it is seen, and does not come back', async () => {
    await show();
    await fireEvent.click(hook('away-seen'));
    await waitFor(() => expect(document.querySelector('[data-test=away]')).toBeNull());
    lastLook.look('a', TO + 60_000);
    expect(lastLook.away).toBeNull();
  });

  it('says that it does not know, and asks again', async () => {
    const platform = demoPlatform();
    const answer = platform.answers.overview;
    let failing = true;
    platform.answers.overview = (request) => {
      const failure: unknown = { code: 'unavailable', message: 'the database does not answer' };
      if (failing && request.buckets === 1) throw failure;
      if (answer === undefined) throw new Error('the demo has an overview');
      return answer(request);
    };
    render(OverviewView, { context: appContext(new App(platform)) });
    await waitFor(() => hook('away-retry'));
    expect(hook('away').textContent).toContain('Could not load what happened meanwhile');
    failing = false;
    await fireEvent.click(hook('away-retry'));
    await waitFor(() => hook('away-figures'));
  });

  it('is not there when nobody was away', async () => {
    lastLook.seen();
    const platform = await show();
    expect(document.querySelector('[data-test=away]')).toBeNull();
    expect((requests(platform, 'overview') as OverviewRequest[]).some((request) => request.buckets === 1)).toBe(false);
  });
});
