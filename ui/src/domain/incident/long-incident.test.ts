// An incident that goes on for months: what its page draws of it, and what it keeps while events go on coming.

import { fireEvent, render, waitFor } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';
import type { Evidence, IncidentDetail, Note, TimelineEntry } from '$ui/generated/model';
import { demoPlatform } from '$ui/platform/demo/index';
import { makeDetail, makeIncidents } from '$ui/platform/demo/incidents';
import type { FakePlatform } from '$ui/platform/fake';
import { App, appContext } from '$ui/state/app.svelte';
import { printing } from '$ui/state/printing.svelte';
import { hook } from '$ui/test-hook';
import { IncidentActions } from './actions.svelte';
import EvidenceList from './evidence-list.svelte';
import Notes from './notes.svelte';
import TimelineList from './timeline-list.svelte';

const AT = '2026-01-01T00:00:00Z';

function shown(name: string): number {
  return document.querySelectorAll(`[data-test=${name}]`).length;
}

describe('the timeline of a long incident', () => {
  const entries: TimelineEntry[] = Array.from({ length: 450 }, (_, index) => ({ at: AT, actor: 'engine', kind: 'finding', text: `entry ${index}` }) as unknown as TimelineEntry);

  it('says when the attack was, beside when the engine wrote it down', () => {
    const [finding] = makeIncidents(0, 1).map((incident) => makeDetail(incident).why[0]?.newest);
    if (finding === undefined) throw new Error('the demo has findings');
    const line: TimelineEntry = { at: AT, actor: 'engine', kind: 'opened', text: `Opened by ${finding.rule_id}: ${finding.summary}` };
    const findings = ['2025-12-31T19:23:12Z', '2025-12-31T19:23:10Z'].map((at) => ({ ...finding, at }));
    render(TimelineList, { props: { entries: [line, { ...line, actor: 'mara', kind: 'note' }], findings }, context: appContext(new App(demoPlatform(new URLSearchParams()))) });
    expect(shown('timeline-attack')).toBe(1);
    expect(hook('timeline-attack').querySelector('time')?.dateTime).toBe('2025-12-31T19:23:10Z');
  });

  it('begins with the newest, and draws older ones when they are asked for', async () => {
    render(TimelineList, { props: { entries }, context: appContext(new App(demoPlatform(new URLSearchParams()))) });
    expect(shown('timeline-entry')).toBe(200);
    expect(hook('timeline-entry').textContent).toContain('entry 449');
    expect(hook('timeline-more').textContent).toContain('250');
    await fireEvent.click(hook('timeline-more'));
    await fireEvent.click(hook('timeline-more'));
    expect(shown('timeline-entry')).toBe(450);
    expect(document.querySelector('[data-test=timeline-more]')).toBeNull();
  });

  it('says of which merged incident an entry is', () => {
    const merged = [{ ...entries[0], from: 12 }, entries[1]] as TimelineEntry[];
    render(TimelineList, { props: { entries: merged }, context: appContext(new App(demoPlatform(new URLSearchParams()))) });
    expect([shown('timeline-from'), hook('timeline-from').textContent, hook('timeline-from').getAttribute('href')]).toEqual([1, '#12', '#/incidents/12']);
  });

  it('is printed as a whole', async () => {
    const stop = printing.start();
    render(TimelineList, { props: { entries }, context: appContext(new App(demoPlatform(new URLSearchParams()))) });
    dispatchEvent(new Event('beforeprint'));
    await waitFor(() => expect(shown('timeline-entry')).toBe(450));
    dispatchEvent(new Event('afterprint'));
    stop();
  });
});

it('the notes of a long incident begin with the newest hundred', async () => {
  const app = new App(demoPlatform(new URLSearchParams()));
  const notes = Array.from({ length: 130 }, (_, index) => ({ id: `n${index}`, author: 'mara', at: AT, text: `note ${index}` }) as unknown as Note);
  render(Notes, { props: { number: 1, notes, actions: new IncidentActions(app, () => undefined) }, context: appContext(app) });
  expect(shown('note')).toBe(100);
  expect(hook('note').textContent).toContain('note 30');
  await fireEvent.click(hook('notes-more'));
  expect(shown('note')).toBe(130);
});

describe('the evidence of an incident', () => {
  function detailOf(events: number): IncidentDetail {
    const [incident] = makeIncidents(Date.parse(AT), 1);
    if (incident === undefined) throw new Error('the demo has an incident');
    const made = makeDetail(incident);
    const first = made.evidence[0];
    if (first === undefined) throw new Error('the demo has evidence');
    return { ...made, event_rows: events, evidence: [piece(first, events), piece(first, events - 1)] };
  }

  function piece(like: Evidence, n: number): Evidence {
    return { ...like, findings: [], event: { ...like.event, id: `e${n}` as Evidence['event']['id'] } };
  }

  function platformOver(like: Evidence): FakePlatform {
    const platform = demoPlatform(new URLSearchParams());
    platform.answers.incident_events = ({ after }) => {
      const from = after === null ? 4 : Number(after);
      return { rows: [from, from - 1].map((n) => ({ id: `e${n}`, event: piece(like, n).event, sha256: '', frozen: true })), next: from > 2 ? String(from - 2) : null } as never;
    };
    return platform;
  }

  it('keeps the older pages when new events come, and shows none twice', async () => {
    const detail = detailOf(6);
    const [like] = detail.evidence;
    if (like === undefined) throw new Error('no evidence');
    const app = new App(platformOver(like));
    const { rerender } = render(EvidenceList, { props: { detail }, context: appContext(app) });
    await fireEvent.click(hook('evidence-older'));
    await waitFor(() => expect(shown('evidence-row')).toBe(4));
    // One more event: what came first is now the second.
    await rerender({ detail: { ...detailOf(7), evidence: [piece(like, 7), piece(like, 6), piece(like, 5), piece(like, 4)] } });
    expect(shown('evidence-row')).toBe(5);
    await fireEvent.click(hook('evidence-older'));
    await waitFor(() => expect(shown('evidence-row')).toBe(7));
  });

  it('begins anew when some were taken away', async () => {
    const detail = detailOf(6);
    const [like] = detail.evidence;
    if (like === undefined) throw new Error('no evidence');
    const { rerender } = render(EvidenceList, { props: { detail }, context: appContext(new App(platformOver(like))) });
    await fireEvent.click(hook('evidence-older'));
    await waitFor(() => expect(shown('evidence-row')).toBe(4));
    await rerender({ detail: detailOf(3) });
    await waitFor(() => expect(shown('evidence-row')).toBe(2));
  });
});
