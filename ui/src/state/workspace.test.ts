// What of one workspace is still there when another one was opened, and of one panel over another: nothing.

import { fireEvent, render, waitFor } from '@testing-library/svelte';
import { tick } from 'svelte';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import Shell from '../app.svelte';
import { openBlock, pendingBlock } from '$ui/domain/block/block-request.svelte';
import type { OpError } from '$ui/generated/model';
import { demoPlatform } from '$ui/platform/demo/index';
import type { FakePlatform } from '$ui/platform/fake';
import { dialogs, panels } from '$ui/shell/panels';
import { hook, requests, type } from '$ui/test-hook';
import { App } from './app.svelte';
import { type Panel, router } from './router.svelte';

let platform: FakePlatform;
let app: App;

async function open(panel: Panel): Promise<void> {
  router.go(panel);
  platform = demoPlatform(new URLSearchParams());
  app = new App(platform);
  await Promise.all([panels[panel].view, ...Object.values(dialogs)].map((part) => part.load()));
  await app.live.look();
  render(Shell, { app });
}

/** Another connection is open from here on; its archive is empty and its answers do not come. */
async function switchOver(): Promise<void> {
  const before = platform.answers.workspace_status;
  platform.answers.workspace_status = async () => {
    const made = await before?.({});
    if (made?.connection === undefined || made.connection === null) throw new Error('the demo has a connection');
    return { ...made, connection: { ...made.connection, id: 'another', name: 'another' } };
  };
  const forever = (): Promise<never> => new Promise(() => undefined);
  Object.assign(platform.answers, { event_page: forever, event_figures: forever, incident_page: forever, rule_try: forever, baseline_compare: forever });
  await app.live.look();
  await tick();
}

beforeEach(() => localStorage.clear());
afterEach(() => {
  pendingBlock.request = null;
});

describe('another workspace', () => {
  it('shows no row of the one before', async () => {
    await open('events');
    await waitFor(() => hook('event-row'));
    const asked = requests(platform, 'event_page').length;
    await switchOver();
    await waitFor(() => expect(requests(platform, 'event_page').length).toBeGreaterThan(asked));
    expect(document.querySelector('[data-test=event-row], [data-test=events-count]')).toBeNull();
    expect(hook('loading')).toBeTruthy();
  });

  it('has nothing selected, and no question open about the one before', async () => {
    await open('incidents');
    await waitFor(() => hook('incident-row'));
    await fireEvent.click(document.querySelector('[data-test=incident-mark]') ?? document.body);
    await waitFor(() => expect(hook('bulk-count').dataset['value']).toBe('1'));
    openBlock({ target: '203.0.113.7', incident: 42 });
    await waitFor(() => hook('block-dialog'));
    const answer = app.confirmations.ask('Block 203.0.113.7', 'shop-production');
    await switchOver();
    await expect(answer).resolves.toBe(false);
    expect(pendingBlock.request).toBeNull();
    expect(document.querySelector('[data-test=incident-row], [data-test=bulk-bar]')).toBeNull();
  });

  it('keeps no answer of the bench, and what is typed in settings only where it is about this machine', async () => {
    router.go('rules', null, { tab: 'bench' });
    await open('rules');
    router.go('rules', null, { tab: 'bench' });
    await waitFor(() => hook('bench-text'));
    await type('bench-text', 'GET / HTTP/1.1');
    await switchOver();
    expect(hook<HTMLTextAreaElement>('bench-text').value).toBe('');
  });

  it('leads nobody to the incident of the same number', async () => {
    await open('incidents');
    router.go('incidents', '42');
    await waitFor(() => hook('incident-title'));
    await switchOver();
    expect([router.current.panel, router.current.detail]).toEqual(['incidents', null]);
    expect(document.querySelector('[data-test=incident-page]')).toBeNull();
  });

  it('is not the one that opens after the window, at the incident of a link', async () => {
    router.go('incidents', '42', { status: 'all' });
    platform = demoPlatform(new URLSearchParams());
    const status = platform.answers.workspace_status;
    let opened = false;
    platform.answers.workspace_status = async () => {
      const made = await status?.({});
      if (made === undefined) throw new Error('the demo has a status');
      return opened ? made : { ...made, connection: null };
    };
    app = new App(platform);
    await Promise.all([panels.incidents.view, ...Object.values(dialogs)].map((part) => part.load()));
    await app.live.look();
    render(Shell, { app });
    await waitFor(() => hook('no-connection'));
    opened = true;
    await app.live.look();
    await waitFor(() => hook('incident-title'));
    expect([router.current.detail, router.current.query]).toEqual(['42', { status: 'all' }]);
  });
});

describe('a workspace that is being opened', () => {
  it('is waited for in the place of its panel, and told as none once it has failed', async () => {
    router.go('incidents');
    platform = demoPlatform(new URLSearchParams());
    const status = platform.answers.workspace_status;
    let opening: { opening?: string } = { opening: 'shop-production' };
    platform.answers.workspace_status = async () => {
      const made = await status?.({});
      if (made === undefined) throw new Error('the demo has a status');
      return { ...made, connection: null, redis: null, database: null, ...opening };
    };
    app = new App(platform);
    await app.live.look();
    render(Shell, { app });
    await waitFor(() => expect(hook('opening').textContent).toBe('Opening shop-production …'));
    expect(document.querySelector('[data-test=no-connection]')).toBeNull();
    expect(hook('panel-title').textContent).toBe('Incidents');
    opening = {};
    await app.live.look();
    await waitFor(() => expect(hook('no-connection').textContent).toContain('No workspace is open'));
    expect(document.querySelector('[data-test=opening]')).toBeNull();
    expect(document.querySelector('[data-test=open-again]')).toBeNull();
  });

  it('says why it is not open and what to do, wherever a link leads, and tries again', async () => {
    router.go('incidents', '42', {});
    platform = demoPlatform(new URLSearchParams());
    const status = platform.answers.workspace_status;
    const id = '0190b3c4-0000-7000-8000-000000000002';
    let error: OpError = { code: 'unavailable', message: 'the database cannot be reached: no such host', hint: 'nothing was changed; test the connection in Settings' };
    platform.answers.workspace_status = async () => {
      const made = await status?.({});
      if (made === undefined) throw new Error('the demo has a status');
      return { ...made, connection: null, redis: null, database: null, opening_failed: { id, name: 'shop-production', error } };
    };
    app = new App(platform);
    await app.live.look();
    render(Shell, { app });
    await waitFor(() => expect(hook('no-connection').textContent).toContain('shop-production was not opened'));
    expect(hook('no-connection').textContent).toContain('no such host');
    expect(hook('no-connection').textContent).toContain('test the connection in Settings');
    // What the backend has no advice for has that of the window.
    error = { code: 'schema_too_new', message: 'the database has schema 99, and this version knows 38' };
    platform.answers.connection_open = () => {
      throw error;
    };
    expect(hook('status-age').textContent, 'nothing is shown that has an age').not.toContain('Updated');
    expect(hook('no-connection').textContent).not.toContain('Tried again');
    await fireEvent.click(hook('open-again'));
    await waitFor(() => expect(requests(platform, 'connection_open')).toEqual([{ id }]));
    await waitFor(() => expect(hook('no-connection').textContent).toContain('schema 99'));
    expect(hook('no-connection').textContent).toContain('Update this one.');
    await waitFor(() => expect(hook('no-connection').textContent).toMatch(/Tried again at \d\d:\d\d:\d\d\./));
    expect(hook('no-connection').textContent).toMatch(/Looked for: .+:\d+/);
  });
});

describe('what is typed while a workspace is being opened', () => {
  let opened = false;

  async function openLater(): Promise<void> {
    opened = false;
    platform = demoPlatform(new URLSearchParams());
    const status = platform.answers.workspace_status;
    platform.answers.workspace_status = async () => {
      const made = await status?.({});
      if (made === undefined) throw new Error('the demo has a status');
      return opened ? made : { ...made, connection: null, redis: null, database: null, opening: 'shop-production' };
    };
    const incidents = platform.answers.incident_page;
    platform.answers.incident_page = (request) => {
      const none: unknown = { code: 'precondition', message: 'no workspace is open' };
      if (!opened || incidents === undefined) throw none;
      return incidents(request);
    };
    app = new App(platform);
    await Promise.all([panels.settings.view, panels.overview.view, ...Object.values(dialogs)].map((part) => part.load()));
    await app.live.look();
    render(Shell, { app });
  }

  async function itOpens(): Promise<void> {
    opened = true;
    await app.live.look();
    await tick();
  }

  it('stands in the settings of this machine, and in a connection that is being described', async () => {
    router.go('settings');
    await openLater();
    await waitFor(() => hook('lock-minutes'));
    await type('lock-minutes', '7');
    await type('lock-new', 'correct horse');
    await fireEvent.click(hook('connection-add'));
    await waitFor(() => hook('connection-name'));
    await type('connection-name', 'shop-staging');
    const asked = requests(platform, 'connection_list').length;
    await itOpens();
    await waitFor(() => expect(requests(platform, 'connection_list').length, 'it is asked for again').toBeGreaterThan(asked));
    const typed = (): string[] => ['connection-name', 'lock-minutes', 'lock-new'].map((name) => hook<HTMLInputElement>(name).value);
    await waitFor(() => expect(typed()).toEqual(['shop-staging', '7', 'correct horse']));
    router.go('overview');
    await tick();
    router.go('settings');
    await waitFor(() => expect(hook<HTMLInputElement>('lock-minutes').value, 'and for who comes back').toBe('7'));
  });

  it('is searched for in the palette once it is open', async () => {
    router.go('overview');
    await openLater();
    await fireEvent.click(hook('open-palette'));
    await type('palette-input', 'sql');
    await waitFor(() => expect(requests(platform, 'incident_page')).toHaveLength(1));
    const found = (): string => [...document.querySelectorAll('[data-test=palette-item]')].map((item) => item.textContent).join(' ');
    expect(found()).not.toMatch(/#\d+ /);
    await itOpens();
    await waitFor(() => expect(found()).toMatch(/#\d+ /));
    expect(hook<HTMLInputElement>('palette-input').value).toBe('sql');
  });
});

describe('another panel', () => {
  it('has no dialog over it that was opened in the one before', async () => {
    await open('incidents');
    await waitFor(() => hook('incident-row'));
    openBlock({ target: '203.0.113.7', incident: 42 });
    await waitFor(() => expect(hook('block-dialog').querySelector('form')).not.toBeNull());
    const answer = app.confirmations.ask('Block 203.0.113.7', 'shop-production');
    router.go('incidents', '42');
    await tick();
    expect(pendingBlock.request, 'the same panel').not.toBeNull();
    router.follow('audit');
    await expect(answer).resolves.toBe(false);
    expect(pendingBlock.request).toBeNull();
    openBlock({ target: '203.0.113.7', incident: null });
    await tick();
    expect(pendingBlock.request, 'one that is opened there').not.toBeNull();
  });
});
