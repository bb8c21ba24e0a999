// The whole window, panel by panel and state by state, as axe sees it.

import { fireEvent, render, waitFor } from '@testing-library/svelte';
import { tick } from 'svelte';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openBlock, closeBlock } from '$ui/domain/block/block-request.svelte';
import { closeContain, openContain } from '$ui/domain/contain/contain-request.svelte';
import { closeEvents, openEvents } from '$ui/domain/event/events-request.svelte';
import { closeSuppress, openSuppress } from '$ui/domain/suppress/suppress-request.svelte';
import { demoPlatform } from '$ui/platform/demo/index';
import type { FakePlatform } from '$ui/platform/fake';
import { overlays } from '$ui/shell/overlays.svelte';
import { dialogs, panels } from '$ui/shell/panels';
import { App } from '$ui/state/app.svelte';
import { prefs } from '$ui/state/prefs.svelte';
import { PANELS, parseRoute, router } from '$ui/state/router.svelte';
import { hook } from '$ui/test-hook';
import { violations } from '$ui/test-axe';
import Shell from './app.svelte';

type State = '' | 'empty' | 'broken' | 'slow' | 'closed' | 'first' | 'down';

/** Subjects that have a page of their own, and tabs. */
const PAGES = ['incidents/42', 'entities/ip:203.0.113.7', 'rules/wp.brute.source', 'rules?tab=bench', 'rules?tab=suppressions', 'rules?tab=problems'];

/** What each panel shows where there is nothing: the name of its hook. */
const NOTHING: Record<(typeof PANELS)[number], string> = {
  overview: 'top-none',
  incidents: 'incidents-empty',
  events: 'events-none',
  entities: 'risk-none',
  blocklist: 'blocks-empty',
  rules: 'rule-row',
  baselines: 'baseline-start',
  redis: 'quarantine-empty',
  maintenance: 'jobs-empty',
  reports: 'report-none',
  audit: 'audit-empty',
  settings: 'threats-none',
};

let app: App;
let pending = 0;

/** Everything that was asked for has been answered. */
async function answered(): Promise<void> {
  await waitFor(() => expect(pending).toBe(0));
  await tick();
}

function slowly(platform: FakePlatform): void {
  const call = platform.call.bind(platform);
  platform.call = async (name, ...rest) => (name === 'workspace_status' || name === 'job_list' ? await call(name, ...rest) : await new Promise(() => undefined));
}

/** Opens the window at a place and waits until everything that was asked for has been answered. */
async function open(place: string, state: State = ''): Promise<void> {
  const route = parseRoute(place);
  router.replace(route.panel, route.detail, route.query);
  document.documentElement.lang = 'en';
  document.title = 'Watchpost';
  const platform = demoPlatform(new URLSearchParams(state === 'slow' ? '' : state));
  if (state === 'slow') slowly(platform);
  pending = 0;
  const call = platform.call.bind(platform);
  platform.call = async (...asked) => {
    pending += 1;
    try {
      return await call(...asked);
    } finally {
      pending -= 1;
    }
  };
  app = new App(platform);
  // The panel before it is drawn, as the window does; the dialogs as well, so that no test waits for code.
  await Promise.all([panels[route.panel].view, ...Object.values(dialogs)].map((part) => part.load()));
  render(Shell, { app });
  await waitFor(() => hook('panel-title'));
  if (state !== 'slow') await answered();
}

beforeEach(() => localStorage.clear());
afterEach(() => {
  overlays.close();
  closeBlock();
  closeContain();
  closeEvents();
  closeSuppress();
});

describe('axe', { timeout: 30_000 }, () => {
  it('finds what is planted, so that its silence means something', async () => {
    const planted = document.body.appendChild(document.createElement('main'));
    planted.innerHTML = '<button></button><input><div role="grid"><div role="rowgroup"><button>One</button></div></div>';
    const found = (await violations(planted)).map((line) => line.split(':')[0]);
    planted.remove();
    expect(found).toEqual(expect.arrayContaining(['critical button-name', 'critical label', 'critical aria-required-children']));
  });

  it.each([...PANELS, ...PAGES])('finds nothing in %s', async (place) => {
    await open(place);
    expect(document.querySelector('main [data-test=error-state], main [data-test=loading]'), 'everything has an answer').toBeNull();
    expect(await violations()).toEqual([]);
  });

  it.each(PANELS)('finds nothing in %s while it is empty', async (panel) => {
    await open(panel, 'empty');
    await waitFor(() => hook(NOTHING[panel]));
    expect(await violations()).toEqual([]);
  });

  it.each([...PANELS.filter((panel) => panel !== 'baselines'), ...PAGES.filter((page) => page !== 'rules?tab=bench')])('finds nothing in %s after a failure', async (place) => {
    await open(place, 'broken');
    await waitFor(() => expect(document.querySelector('main [role=alert]')).not.toBeNull());
    expect(await violations()).toEqual([]);
  });

  it.each(['overview', 'incidents/42', 'events', 'settings'])('finds nothing in %s while it loads', async (place) => {
    await open(place, 'slow');
    await waitFor(() => hook('loading'));
    expect(await violations()).toEqual([]);
  });

  it.each([
    ['no connection', 'incidents', 'closed', 'no-connection'],
    ['no connection', 'settings', 'closed', 'connection-add'],
    ['nothing yet', 'overview', 'first', 'first-run'],
    ['no Redis', 'redis', 'down', 'redis-verdict'],
  ] as const)('finds nothing in a window with %s at %s', async (_, place, state, shown) => {
    await open(place, state);
    await waitFor(() => hook(shown));
    expect(await violations()).toEqual([]);
  });

  const subject = { target: '203.0.113.7', incident: 42 };
  it.each<[string, string, () => unknown]>([
    ['the palette', 'overview', () => overlays.open('palette')],
    ['the keys', 'overview', () => overlays.open('keys')],
    ['the events of a figure', 'overview', () => openEvents({ title: 'Failed logins', period: null })],
    ['a block', 'blocklist', () => openBlock(subject)],
    ['a containment', 'blocklist', () => openContain({ kind: 'user', ...subject })],
    ['a suppression', 'rules', () => openSuppress({ rules: ['wp.brute.source'], family: 'brute_force', entity: { kind: 'ip', value: '203.0.113.7' }, incident: 42 })],
    ['a confirmation', 'blocklist', () => void app.confirmations.ask('Block 203.0.113.7', 'shop-production')],
    ['a new connection', 'settings', () => fireEvent.click(hook('connection-add'))],
    ['the file of secrets', 'settings', () => fireEvent.click(hook('secrets-make'))],
    ['the age of a key', 'audit', async () => {
      prefs.trust = 'open';
      await fireEvent.click(hook('audit-key-edit'));
    }],
    ['a threat list', 'settings', () => fireEvent.click(hook('threat-show'))],
    ['the jobs, unfolded', 'maintenance', async () => {
      for (const toggle of document.querySelectorAll('section.job > .head h2 button')) await fireEvent.click(toggle);
    }],
    ['the days of an export', 'audit', () => fireEvent.click(hook('audit-export'))],
    ['a record of the trail', 'audit', () => fireEvent.click(hook('audit-row'))],
    ['an event', 'events', () => fireEvent.click(hook('event-row'))],
    ['a verdict', 'incidents/42', () => fireEvent.keyDown(document.body, { key: 'r' })],
    ['a note', 'incidents/42', () => fireEvent.keyDown(document.body, { key: 'n' })],
    ['a message', 'overview', () => app.toasts.done('Copied')],
  ])('finds nothing in the dialog of %s', async (_, place, act) => {
    await open(place);
    const before = document.body.textContent;
    await act();
    await waitFor(() => expect(document.body.textContent).not.toBe(before));
    await answered();
    // What is behind a modal dialog is out of reach; the test's browser does not know that.
    expect(await violations(document.querySelector('dialog[open]') ?? document)).toEqual([]);
  });
});
