import { render, waitFor } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';
import { demoPlatform } from '$ui/platform/demo/index';
import type { FakePlatform } from '$ui/platform/fake';
import { panels } from '$ui/shell/panels';
import { App } from '$ui/state/app.svelte';
import { router } from '$ui/state/router.svelte';
import { hook, requests } from '$ui/test-hook';
import Shell from '../../app.svelte';

let platform: FakePlatform;

async function open(state = ''): Promise<void> {
  router.go('incidents');
  platform = demoPlatform(new URLSearchParams(state));
  const app = new App(platform);
  // The window has fetched them by the time that somebody drags a file into it.
  await Promise.all([panels.incidents.view.load(), panels.maintenance.view.load()]);
  render(Shell, { app });
  await waitFor(() => expect(app.live.status).toBeDefined());
}

function shown(): string | undefined {
  return document.querySelector('[data-test=drop-import]')?.textContent;
}

describe('a file that is dragged into the window', () => {
  beforeEach(() => localStorage.clear());

  it('is offered for import, as what its name says, and not imported by itself', async () => {
    await open();
    platform.drag({ kind: 'over', paths: ['/var/log/auth.log\u202e'] });
    await waitFor(() => expect(shown()).toContain('Drop the log file'));
    expect(shown(), 'a bidi control is visible').not.toContain('\u202e');
    platform.drag({ kind: 'left' });
    await waitFor(() => expect(shown()).toBeUndefined());
    platform.drag({ kind: 'dropped', paths: ['/var/log/auth.log'] });
    await waitFor(() => expect(hook<HTMLInputElement>('import-path').value).toBe('/var/log/auth.log'));
    expect(router.current.panel).toBe('maintenance');
    expect(hook<HTMLSelectElement>('import-format').value).toBe('sshd');
    await waitFor(() => expect(document.activeElement).toBe(hook('import-run')));
    expect(requests(platform, 'import_run')).toEqual([]);
  });

  it('asks for the format that its name does not promise', async () => {
    await open();
    platform.drag({ kind: 'dropped', paths: ['/srv/events.txt'] });
    await waitFor(() => expect(document.activeElement).toBe(hook('import-format')));
    expect(hook<HTMLInputElement>('import-path').value).toBe('/srv/events.txt');
  });

  it('is one, and needs a connection', async () => {
    await open();
    platform.drag({ kind: 'dropped', paths: ['/a.log', '/b.log'] });
    await waitFor(() => expect(document.querySelector('.toasts')?.textContent).toContain('One log file'));
    expect(router.current.panel).toBe('incidents');
  });

  it('waits for a connection', async () => {
    await open('closed');
    platform.drag({ kind: 'over', paths: ['/a.log'] });
    await waitFor(() => expect(shown()).toContain('Open a connection first'));
    platform.drag({ kind: 'dropped', paths: ['/a.log'] });
    expect(router.current.panel).toBe('incidents');
  });
});
