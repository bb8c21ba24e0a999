import { fireEvent, render, waitFor } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';
import { demoPlatform } from '$ui/platform/demo/index';
import type { FakePlatform } from '$ui/platform/fake';
import { App, appContext } from '$ui/state/app.svelte';
import { router } from '$ui/state/router.svelte';
import { hook, requests } from '$ui/test-hook';
import RulesView from '$ui/views/rules/rules-view.svelte';

let platform: FakePlatform;

beforeEach(async () => {
  router.go('rules', null, { tab: 'problems' });
  platform = demoPlatform();
  render(RulesView, { context: appContext(new App(platform)) });
  await waitFor(() => hook('rule-directory'));
});

describe('where rules come from', () => {
  it('is chosen, and set back to the data folder', async () => {
    platform.picked = '/srv/rules';
    await fireEvent.click(hook('rule-directory-choose'));
    await waitFor(() => expect(hook('rule-directory').textContent).toBe('/srv/rules'));
    await fireEvent.click(hook('rule-directory-own'));
    await waitFor(() => expect(hook('rule-directory').textContent).toContain('watchpost/rules'));
    expect(requests(platform, 'rule_directory_set')).toEqual([{ directory: '/srv/rules' }, { directory: null }]);
  });

  it('stays when nobody chooses, and says why one cannot be read', async () => {
    await fireEvent.click(hook('rule-directory-choose'));
    expect(requests(platform, 'rule_directory_set')).toEqual([]);
    platform.picked = '/srv/none';
    platform.answers.rule_directory_set = () => Promise.reject({ code: 'validation', message: 'there is no such directory', field: 'directory' });
    await waitFor(() => expect(hook<HTMLButtonElement>('rule-directory-choose').disabled).toBe(false));
    await fireEvent.click(hook('rule-directory-choose'));
    await waitFor(() => expect(hook('rule-sources-fault').textContent).toContain('no such directory'));
  });

  it('takes Sigma rules in, and names the files that bring none', async () => {
    platform.picked = '/srv/sigma';
    await fireEvent.click(hook('rule-sigma-folder'));
    await waitFor(() => expect(hook('rule-sigma-report').textContent).toContain('Rules brought in: 2. Files copied: 1'));
    expect(requests(platform, 'rule_import_sigma')).toEqual([{ path: '/srv/sigma' }]);
    expect(hook('rule-sigma-unused').textContent).toContain('windows.yml');
    expect(document.querySelectorAll('[data-test=rule-sigma-unused]')).toHaveLength(1);
  });
});
