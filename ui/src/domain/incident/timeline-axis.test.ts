import { render } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';
import type { TimelineEntry } from '$ui/generated/model';
import { prefs } from '$ui/state/prefs.svelte';
import { violations } from '$ui/test-axe';
import TimelineAxis from './timeline-axis.svelte';

const at = (minute: number): string => new Date(Date.UTC(2026, 10, 20, 12, minute)).toISOString();
const entry = (minute: number, actor: string): TimelineEntry => ({ at: at(minute), actor, kind: 'note', text: 'x' });

function marks(lane: string): (string | null)[] {
  return [...document.querySelectorAll(`[data-test=timeline-axis] svg.${lane} .mark`)].map((mark) => mark.getAttribute('cx') ?? mark.getAttribute('x1'));
}

beforeEach(() => {
  prefs.zone = 'utc';
});

describe('the axis of an incident', () => {
  it('holds events, the engine and people, from the first moment to the last', async () => {
    const { container } = render(TimelineAxis, { props: { entries: [entry(10, 'engine'), entry(60, 'mara')], events: [at(0), at(0), at(30)] } });
    expect([marks('events'), marks('engine'), marks('people')]).toEqual([['1%', '50%'], ['17.25%'], ['99%']]);
    const names = [...container.querySelectorAll('svg')].map((lane) => lane.getAttribute('aria-label'));
    expect(names).toEqual(['Events: 3', 'Engine: 1', 'People: 1'].map((what) => `${what}, from 2026-11-20 12:00:00 to 2026-11-20 13:00:00`));
    expect(await violations(container)).toEqual([]);
  });

  it('has times that can be read, and cuts short what was idle', () => {
    render(TimelineAxis, { props: { entries: [entry(60, 'mara')], events: [at(0), at(20), at(40)] } });
    const texts = (hook: string): (string | null)[] => [...document.querySelectorAll(`[data-test=${hook}]`)].map((tick) => tick.textContent);
    expect(texts('timeline-tick')).toEqual(['12:10', '12:20', '12:30', '12:40', '12:50']);
    expect(texts('timeline-cut')).toEqual([]);
    document.body.replaceChildren();
    render(TimelineAxis, { props: { entries: [entry(600, 'mara')], events: [at(0), at(1), at(3)] } });
    expect(texts('timeline-cut')).toEqual(['9 h']);
    expect(texts('timeline-tick')).toContain('12:01:00');
  });

  it('is left out where there is one moment, or none', () => {
    render(TimelineAxis, { props: { entries: [entry(10, 'engine')], events: [at(10)] } });
    render(TimelineAxis, { props: { entries: [], events: [] } });
    expect(document.querySelector('[data-test=timeline-axis]')).toBeNull();
  });
});
