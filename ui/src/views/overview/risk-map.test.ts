import { fireEvent, render, waitFor } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';
import type { EntityRiskPage, EntityRiskRow, Place } from '$ui/generated/model';
import { demoPlatform } from '$ui/platform/demo/index';
import { App, appContext } from '$ui/state/app.svelte';
import { router } from '$ui/state/router.svelte';
import { hook } from '$ui/test-hook';
import RiskMap from './risk-map.svelte';

function row(value: string, score: number, place: Place | null): EntityRiskRow {
  return { risk: { entity: { kind: 'ip', value }, score, at: '2026-11-21T00:00:00Z', incidents: 1 }, place, threats: [] };
}

const ROWS = [row('203.0.113.7', 90, { country: 'NL', lat: 52.4, lon: 4.9 }), row('198.51.100.1', 80, { country: 'US' }), row('198.51.100.2', 70, { country: 'US' }), row('192.0.2.1', 60, { country: 'SG' }), row('192.0.2.2', 50, null)];

function show(part: Partial<EntityRiskPage> = {}, most = 200): App {
  const app = new App(demoPlatform());
  render(RiskMap, { context: appContext(app), props: { page: { rows: ROWS, has_location_data: true, policy: { half_life_h: 24 }, at: '2026-11-21T00:00:00Z', ...part }, most } });
  return app;
}

function marks(): HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>('[data-test=map-mark]')];
}

function press(country: string): Promise<boolean> {
  return fireEvent.click(document.querySelector(`[data-test=map-country][data-country=${country}]`) ?? document.body);
}

beforeEach(() => router.go('overview'));

describe('the map of risk', () => {
  it('says the same as a picture and as a list', async () => {
    show();
    await waitFor(() => hook('world-map'));
    // Singapore is too small for the atlas and has no point here: it is in the list alone.
    expect(marks().map((mark) => [mark.dataset['country'], mark.textContent, mark.getAttribute('aria-label')])).toEqual([
      ['US', '2', 'United States: 2 sources, highest risk 80.0'],
      ['NL', '1', 'Netherlands: 1 source, highest risk 90.0'],
    ]);
    const lines = [...document.querySelectorAll('[data-test=risk-map] tbody tr')].map((line) => [...line.querySelectorAll('td')].map((cell) => cell.textContent?.trim()));
    expect(lines).toEqual([
      ['United States', '2', '80.0'],
      ['Netherlands', '1', '90.0'],
      ['Singapore', '1', '60.0'],
    ]);
    expect(hook('map-nowhere').textContent).toBe('1 source is in no country that the location file knows.');
    expect([...document.querySelectorAll('.some')].map((shape) => shape.getAttribute('data-country'))).toEqual(['US', 'NL']);
  });

  it('opens the sources of a country from the list, and gives the focus back', async () => {
    show();
    await press('US');
    await waitFor(() => expect(document.activeElement).toBe(hook('map-back')));
    expect([...document.querySelectorAll('[data-test=map-sources] [data-test=entity-link]')].map((link) => link.textContent)).toEqual(['198.51.100.1', '198.51.100.2']);
    await fireEvent.click(hook('map-events'));
    expect([router.current.panel, router.current.query['q']]).toEqual(['events', 'ip:198.51.100.1 or ip:198.51.100.2']);
    await fireEvent.click(hook('map-back'));
    await waitFor(() => expect((document.activeElement as HTMLElement).dataset['country']).toBe('US'));
  });

  it('has one stop for the keyboard, and arrows from circle to circle', async () => {
    show();
    await waitFor(() => hook('world-map'));
    const stops = (): (string | undefined)[] => marks().filter((mark) => mark.tabIndex === 0).map((mark) => mark.dataset['country']);
    expect(stops()).toEqual(['US']);
    marks()[0]?.focus();
    await fireEvent.keyDown(document.activeElement ?? document.body, { key: 'ArrowRight' });
    expect([(document.activeElement as HTMLElement).dataset['country'], stops()]).toEqual(['NL', ['NL']]);
    await fireEvent.keyDown(document.activeElement ?? document.body, { key: 'ArrowRight' });
    expect(stops(), 'round the world').toEqual(['US']);
    await fireEvent.keyDown(document.activeElement ?? document.body, { key: 'End' });
    await fireEvent.click(document.activeElement ?? document.body);
    await waitFor(() => expect(hook('map-opened').textContent).toContain('Netherlands'));
  });

  it('says how to get places when there are none', async () => {
    show({ has_location_data: false, rows: ROWS.map((one) => ({ ...one, place: null })) });
    expect(hook('map-no-data').textContent).toContain('MaxMind DB');
    expect(document.querySelector('[data-test=world-map], tbody')).toBeNull();
    await fireEvent.click(hook('map-settings'));
    expect([router.current.panel, router.current.detail]).toEqual(['settings', 'context']);
  });

  it('says when nobody is dangerous, and when it looked at some only', () => {
    show({ rows: [] });
    expect(hook('map-none').textContent).toBe('Nothing has gained risk.');
    show({}, ROWS.length);
    expect(hook('risk-map').parentElement?.parentElement?.textContent).toContain(`Only the ${ROWS.length} sources with the highest risk are looked at.`);
  });

  it('shows a country that is none as the text that it is', () => {
    show({ rows: [row('203.0.113.7', 90, { country: '<b>\u202e' })] });
    expect(hook('map-country').textContent).toBe('<b>\\u{202e}');
  });
});
