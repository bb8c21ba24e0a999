import { fireEvent, render, waitFor } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';
import type { RoleList } from '$ui/generated/model';
import { demoPlatform } from '$ui/platform/demo/index';
import { App, appContext } from '$ui/state/app.svelte';
import { hook, requests, type } from '$ui/test-hook';
import RolesCard from './roles-card.svelte';

const RAILS: RoleList = { source: 'guard_rails', rows: [{ name: 'dana', role: 'admin' }], others: 'viewer', detail: 'guard rails: whoever can write the file can change this' };

describe('the roles', () => {
  it('of a server are shown, and given there', async () => {
    render(RolesCard, { context: appContext(new App(demoPlatform())) });
    await waitFor(() => hook('roles-source'));
    expect(hook('roles-source').dataset['source']).toBe('groups');
    expect(document.querySelectorAll('[data-test=role-row]').length).toBe(2);
    expect(document.querySelector('[data-test=role-form]')).toBeNull();
  });

  it('of a file say that they are guard rails, and are given here', async () => {
    const platform = demoPlatform();
    platform.answers.role_list = () => RAILS;
    platform.answers.role_set = () => RAILS;
    render(RolesCard, { context: appContext(new App(platform)) });
    await waitFor(() => hook('role-form'));
    expect(hook('roles').textContent).toContain('whoever can write the file can change this');
    await type('role-name', ' robin ');
    await fireEvent.submit(hook('role-form'));
    await waitFor(() => expect(requests(platform, 'role_set')).toEqual([{ name: 'robin', role: 'analyst' }]));
  });
});
