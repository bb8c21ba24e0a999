import { describe, expect, it } from 'vitest';
import type { Incident } from '$ui/generated/model';
import { runningClock } from './sla';

const OPENED = Date.UTC(2026, 10, 20, 12, 0);

function incident(part: Partial<Incident>): Incident {
  return {
    status: 'open',
    opened_at: new Date(OPENED).toISOString(),
    acknowledged_at: null,
    resolved_at: null,
    acknowledge_due: new Date(OPENED + 15 * 60_000).toISOString(),
    resolve_due: new Date(OPENED + 4 * 3_600_000).toISOString(),
    ...part,
  } as Incident;
}

describe('runningClock', () => {
  it('runs to the acknowledgement first, then to the resolution', () => {
    expect(runningClock(incident({}), OPENED + 60_000)).toMatchObject({ what: 'acknowledge', left: 840, state: 'running' });
    expect(runningClock(incident({ status: 'investigating', acknowledged_at: new Date(OPENED + 1).toISOString() }), OPENED)).toMatchObject({ what: 'resolve', left: 14_400 });
  });

  it('warns in the last quarter and says when it is late', () => {
    expect(runningClock(incident({}), OPENED + 12 * 60_000)?.state).toBe('soon');
    expect(runningClock(incident({}), OPENED + 16 * 60_000)).toMatchObject({ state: 'late', left: -60 });
  });

  it('stands while it is paused', () => {
    const paused = { reason: 'change_window', since: new Date(OPENED + 60_000).toISOString() } as const;
    expect(runningClock(incident({ paused }), OPENED + 3_600_000)).toMatchObject({ left: 840, state: 'running', stands: true });
    expect(runningClock(incident({}), OPENED)).toMatchObject({ stands: false });
  });

  it('stands when the incident is resolved', () => {
    expect(runningClock(incident({ status: 'resolved' }), OPENED)).toBeNull();
    expect(runningClock(incident({ status: 'closed' }), OPENED)).toBeNull();
  });
});
