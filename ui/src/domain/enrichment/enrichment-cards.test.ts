import { fireEvent, render, waitFor } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';
import type { EnrichmentState, LocationFile } from '$ui/generated/model';
import { demoPlatform } from '$ui/platform/demo/index';
import type { FakePlatform } from '$ui/platform/fake';
import { App, appContext } from '$ui/state/app.svelte';
import { hook, requests, type } from '$ui/test-hook';
import EnrichmentCards from './enrichment-cards.svelte';

const CITY: LocationFile = { role: 'city', path: '/srv/city.mmdb', kind: 'City', built_at: null, age_days: 3, problem: null };

let platform: FakePlatform;
let app: App;
let state: EnrichmentState;

beforeEach(async () => {
  platform = demoPlatform();
  state = { location: [CITY], damaged_lookups: 0, threat_lists: 0, threat_entries: 0, threat_problem: null, assets: 0, risk: { half_life_h: 24 } };
  platform.answers.enrichment_get = () => state;
  app = new App(platform);
  render(EnrichmentCards, { context: appContext(app) });
  await waitFor(() => hook('location-form'));
});

describe('the files and the half-life', () => {
  it('keep what is typed when a file grows a day older', async () => {
    await type('location-asn', '/srv/asn.mmdb');
    state = { ...state, location: [{ ...CITY, age_days: 4 }] };
    app.queries.invalidate(['settings']);
    await waitFor(() => expect(hook('location-form').textContent).toContain('4 days old'));
    expect(hook<HTMLInputElement>('location-asn').value).toBe('/srv/asn.mmdb');
  });

  it('show what another window saved, where nobody types', async () => {
    state = { ...state, location: [{ ...CITY, path: '/srv/newer.mmdb' }], risk: { half_life_h: 48 } };
    app.queries.invalidate(['settings']);
    await waitFor(() => expect(hook<HTMLInputElement>('location-city').value).toBe('/srv/newer.mmdb'));
    expect(hook<HTMLInputElement>('risk-half-life').value).toBe('48');
    expect(document.querySelector('[data-test=location-save], [data-test=half-life-save]')).toBeNull();
  });

  it('say at the half-life that it could not be saved, and keep it', async () => {
    const refused: unknown = { code: 'validation', message: 'too long a time', field: 'half_life_h' };
    platform.answers.location_put = ({ city_file }) => {
      state = { ...state, location: [{ ...CITY, path: city_file ?? '' }] };
      return state;
    };
    platform.answers.risk_policy_put = () => {
      throw refused;
    };
    await type('risk-half-life', '720');
    await fireEvent.submit(hook('half-life-form'));
    await waitFor(() => expect(hook('half-life-form').textContent).toContain('Too long a time'));
    await type('location-city', '/srv/other.mmdb');
    await fireEvent.submit(hook('location-form'));
    await waitFor(() => expect(requests(platform, 'location_put')).toEqual([{ city_file: '/srv/other.mmdb', asn_file: null }]));
    await waitFor(() => expect(document.querySelector('[data-test=location-save]'), 'saved').toBeNull());
    expect(hook('half-life-form').textContent, 'the failure is still there').toContain('Too long a time');
    expect(hook<HTMLInputElement>('risk-half-life').value).toBe('720');
  });

  it.each(['9000', '0', 'x', ''])('do not send %j hours', async (text) => {
    await type('risk-half-life', text);
    await fireEvent.submit(hook('half-life-form'));
    expect(requests(platform, 'risk_policy_put')).toHaveLength(0);
    expect(hook('risk-half-life').getAttribute('aria-invalid')).toBe('true');
    expect(hook('half-life-form').textContent).toContain('1 to 8,760');
  });
});

describe('a threat list', () => {
  it('is looked into, page by page', async () => {
    await waitFor(() => hook('threat-show'));
    await fireEvent.click(hook('threat-show'));
    await waitFor(() => hook('threat-entry'));
    const shown = (): number => document.querySelectorAll('[data-test=threat-entry]').length;
    expect(shown()).toBe(200);
    expect(hook('threat-entries').textContent, 'what a list says is text').toContain('C2 of <Emotet>');
    for (const expected of [400, 600, 612]) {
      await fireEvent.click(hook('threat-entries-more'));
      await waitFor(() => expect(shown()).toBe(expected));
    }
    expect(document.querySelector('[data-test=threat-entries-more]'), 'that is all').toBeNull();
    expect(requests(platform, 'threat_list_show').at(-1)).toEqual({ name: 'feodo', offset: 600, limit: 200 });
  });

  it('says that it cannot be read, and is read again', async () => {
    await waitFor(() => hook('threat-show'));
    const answer = platform.answers.threat_list_show;
    platform.answers.threat_list_show = () => Promise.reject(new Error('gone'));
    await fireEvent.click(hook('threat-show'));
    await waitFor(() => hook('error-state'));
    if (answer === undefined) throw new Error('the demo has entries');
    platform.answers.threat_list_show = answer;
    await fireEvent.click(hook('retry'));
    await waitFor(() => hook('threat-entry'));
  });
});
