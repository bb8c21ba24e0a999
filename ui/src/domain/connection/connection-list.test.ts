import { fireEvent, render, waitFor } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';
import type { WorkspaceStatus } from '$ui/generated/model';
import { connectionList } from '$ui/platform/demo/console';
import { demoPlatform } from '$ui/platform/demo/index';
import type { FakePlatform } from '$ui/platform/fake';
import { App, appContext } from '$ui/state/app.svelte';
import { hook, requests } from '$ui/test-hook';
import ConfirmDialog from '$ui/shared/feedback/confirm-dialog.svelte';
import ConnectionList from './connection-list.svelte';

let platform: FakePlatform;
let app: App;

function row(name: string): HTMLElement {
  const found = document.querySelector<HTMLElement>(`[data-test=connection-row][data-name="${name}"]`);
  if (found === null) throw new Error(`no connection ${name}`);
  return found;
}

function button(name: string, of: string): HTMLButtonElement | null {
  return row(name).querySelector<HTMLButtonElement>(`[data-test=connection-${of}]`);
}

beforeEach(async () => {
  platform = demoPlatform();
  app = new App(platform);
  await app.live.look();
  render(ConnectionList, { context: appContext(app), props: { list: connectionList() } });
  render(ConfirmDialog, { context: appContext(app) });
});

describe('the connections', () => {
  it('offer to open what is not open, and to remove what is neither open nor the local one', () => {
    expect(row('shop-production').dataset['active']).toBe('true');
    expect(button('shop-production', 'open')).toBeNull();
    expect(button('shop-production', 'remove')?.disabled).toBe(true);
    expect([button('local', 'edit'), button('local', 'remove')], 'the local one is always there').toEqual([null, null]);
    expect(button('shop-staging', 'remove')?.disabled).toBe(false);
  });

  it('open another workspace, one at a time, and look at it', async () => {
    let letGo = (): void => undefined;
    const gate = new Promise<void>((resolve) => (letGo = resolve));
    platform.answers.connection_open = async () => {
      await gate;
      return await (platform.answers.workspace_status?.({}) as Promise<WorkspaceStatus>);
    };
    await fireEvent.click(button('shop-staging', 'open') ?? document.body);
    await waitFor(() => expect(button('shop-staging', 'open')?.getAttribute('aria-busy')).toBe('true'));
    expect(button('local', 'open')?.disabled, 'not two at once').toBe(true);
    const looked = requests(platform, 'workspace_status').length;
    letGo();
    await waitFor(() => expect(button('local', 'open')?.disabled).toBe(false));
    expect(requests(platform, 'connection_open')).toEqual([{ id: '0190b3c4-0000-7000-8000-000000000002' }]);
    expect(requests(platform, 'workspace_status').length).toBeGreaterThan(looked);
  });

  it('tell of the open one how many events wait for the index of words, and only then', async () => {
    expect(document.querySelector('[data-test=words-behind]')).toBeNull();
    const { status } = app.live;
    if (status === undefined) throw new Error('the demo has a status');
    platform.answers.workspace_status = () => ({ ...status, words_behind: 1_204_000 });
    await app.live.look();
    await waitFor(() => expect(row('shop-production').textContent).toContain('1,204,000 events are not indexed yet'));
    expect(document.querySelectorAll('[data-test=words-behind]')).toHaveLength(1);
  });

  it('are removed after a question', async () => {
    await fireEvent.click(button('shop-staging', 'remove') ?? document.body);
    await waitFor(() => hook('connection-remove-confirm'));
    expect(hook('connection-remove-dialog').textContent).toContain('shop-staging');
    expect(requests(platform, 'connection_remove')).toEqual([]);
    await fireEvent.click(hook('connection-remove-confirm'));
    await waitFor(() => expect(requests(platform, 'connection_remove')).toEqual([{ id: '0190b3c4-0000-7000-8000-000000000002' }]));
  });
});
