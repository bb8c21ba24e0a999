import { fireEvent, render, waitFor } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';
import type { CountryCount } from '$ui/generated/model';
import { pendingEvents } from '$ui/domain/event/events-request.svelte';
import { demoPlatform } from '$ui/platform/demo/index';
import { App, appContext } from '$ui/state/app.svelte';
import { router } from '$ui/state/router.svelte';
import { hook } from '$ui/test-hook';
import CountryMap from './country-map.svelte';

const PERIOD = { from: '2026-11-20T00:00:00Z', to: '2026-11-21T00:00:00Z' };

function row(country: string | null, events: number, failures = 0, sources = 1): CountryCount {
  return { country, events, failures, sources };
}

const COUNTRIES = [row('US', 1_200, 40, 12), row(null, 77, 7, 3), row('NL', 60, 1, 1), row('SG', 5)];

function show(countries: readonly CountryCount[] = COUNTRIES, located = true): void {
  render(CountryMap, { context: appContext(new App(demoPlatform())), props: { countries, located, period: PERIOD } });
}

function marks(): HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>('[data-test=map-mark]')];
}

beforeEach(() => {
  router.go('overview');
  pendingEvents.request = null;
});

describe('the map of events', () => {
  it('says the same as a picture and as a list, in the numbers of the backend', async () => {
    show();
    await waitFor(() => hook('world-map'));
    expect(marks().map((mark) => [mark.dataset['country'], mark.getAttribute('aria-label')])).toEqual([
      ['US', 'United States: 1,200 events, 40 failed, from 12 sources'],
      ['NL', 'Netherlands: 60 events, 1 failed, from 1 source'],
      ['SG', 'Singapore: 5 events, 0 failed, from 1 source'],
    ]);
    const lines = [...document.querySelectorAll('[data-test=country-map] tbody tr')].map((line) => [...line.querySelectorAll('td')].map((cell) => cell.textContent?.trim()));
    expect(lines).toEqual([
      ['United States', '1,200', '40', '12'],
      ['Netherlands', '60', '1', '1'],
      ['Singapore', '5', '0', '1'],
      ['Place unknown', '77', '7', '3'],
    ]);
    // Too small for the atlas, but on the map.
    expect([...document.querySelectorAll('.some')].map((shape) => shape.getAttribute('data-country'))).toEqual(['US', 'NL']);
  });

  it('opens the events of a country, of the map and of the list', async () => {
    show();
    await waitFor(() => hook('world-map'));
    await fireEvent.click(marks()[1] ?? document.body);
    expect(pendingEvents.request).toMatchObject({ title: 'Events from Netherlands', query: 'country:NL', period: PERIOD });
    await fireEvent.click(document.querySelector('[data-country=SG][data-test=map-country]') ?? document.body);
    expect(pendingEvents.request?.query).toBe('country:SG');
    await fireEvent.click(hook('map-nowhere').querySelector('button') ?? document.body);
    expect(pendingEvents.request?.query).toBe('-country:* ip:*');
  });

  it('has one stop for the keyboard, and arrows from circle to circle', async () => {
    show();
    await waitFor(() => hook('world-map'));
    const stops = (): (string | undefined)[] => marks().filter((mark) => mark.tabIndex === 0).map((mark) => mark.dataset['country']);
    expect(stops()).toEqual(['US']);
    marks()[0]?.focus();
    await fireEvent.keyDown(document.activeElement ?? document.body, { key: 'ArrowRight' });
    expect([(document.activeElement as HTMLElement).dataset['country'], stops()]).toEqual(['NL', ['NL']]);
    await fireEvent.keyDown(document.activeElement ?? document.body, { key: 'End' });
    expect(stops()).toEqual(['SG']);
    await fireEvent.keyDown(document.activeElement ?? document.body, { key: 'ArrowRight' });
    expect(stops(), 'round the world').toEqual(['US']);
  });

  it('says how to get places when there are none', async () => {
    show([row(null, 77)], false);
    expect(hook('map-no-data').textContent).toContain('MaxMind DB');
    expect(document.querySelector('[data-test=world-map], tbody')).toBeNull();
    await fireEvent.click(hook('map-settings'));
    expect([router.current.panel, router.current.detail]).toEqual(['settings', 'context']);
  });

  it('says when there are no events', () => {
    show([]);
    expect(hook('map-none').textContent).toBe('No events in this period.');
  });

  it('shows a country that is none as the text that it is', () => {
    show([row('<b>\u202e', 3)]);
    expect(hook('map-country').textContent).toBe('<b>\\u{202e}');
  });
});
