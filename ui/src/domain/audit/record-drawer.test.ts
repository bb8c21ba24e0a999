import { fireEvent, render, waitFor } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';
import type { AuditRecord } from '$ui/generated/model';
import { demoPlatform } from '$ui/platform/demo/index';
import { App, appContext } from '$ui/state/app.svelte';
import { hook, requests, type } from '$ui/test-hook';
import RecordDrawer from './record-drawer.svelte';

const GONE: AuditRecord = { seq: 7, at: '2019-01-05T08:00:00Z', actor: '[erased]', origin: '[erased]', host: '[erased]', action: 'report_generate', object: '[erased]', permission: 'report', outcome: 'success', changes: [], reason: null, risk: 0, leaf_hash: 'ab'.repeat(32) };

describe('a record without its content', () => {
  it.each([
    [{ purged: 'reads' as const }, 'purged by retention (Exports, reports, checks): see record 182'],
    [{}, 'was erased: see record 182'],
  ])('says which record took it', async (by, words) => {
    const platform = demoPlatform();
    platform.answers.audit_show = () => ({ record: GONE, leaf: '{}', covered_by: null, erased_by: 182, ...by });
    render(RecordDrawer, { props: { record: GONE, onclose: () => undefined, onfilter: () => undefined }, context: appContext(new App(platform)) });
    await waitFor(() => expect(hook('audit-taken').textContent).toContain(words));
    expect(requests(platform, 'audit_show')).toEqual([{ seq: 7 }]);
  });
});

describe('a record that its own writer got wrong', () => {
  const UNREADABLE: AuditRecord = { ...GONE, actor: 'mara', origin: '[unreadable]', host: '[unreadable]', object: '[unreadable]' };

  async function shown(role: 'lead' | 'auditor') {
    const platform = demoPlatform();
    const status = await platform.call('workspace_status', {});
    platform.answers.workspace_status = () => ({ ...status, connection: status.connection === null ? null : { ...status.connection, production: false }, caller: { ...status.caller, role } });
    let by: number | undefined;
    platform.answers.audit_show = () => ({ record: UNREADABLE, leaf: '{}', covered_by: null, erased_by: null, ...by === undefined ? { own_fault: 'record 7: the payload does not open with its key' } : { set_apart_by: by } });
    platform.answers.audit_set_apart = ({ seq }) => {
      by = 183;
      return { record: seq, by, problem: 'the payload does not open with its key' };
    };
    const app = new App(platform);
    await app.live.look();
    render(RecordDrawer, { props: { record: UNREADABLE, onclose: () => undefined, onfilter: () => undefined }, context: appContext(app) });
    await waitFor(() => expect(hook('audit-own-fault').textContent).toContain('does not open with its key'));
    return platform;
  }

  it('is set apart with a reason, and says by which record', async () => {
    const platform = await shown('auditor');
    await fireEvent.click(hook('audit-set-apart'));
    await waitFor(() => expect(hook<HTMLButtonElement>('audit-apart-confirm').disabled, 'not without a reason').toBe(true));
    await type('audit-apart-reason', ' written by a test ');
    await fireEvent.click(hook('audit-apart-confirm'));
    await waitFor(() => expect(requests(platform, 'audit_set_apart')).toEqual([{ seq: 7, reason: 'written by a test' }]));
    await waitFor(() => expect(hook('audit-apart-by').textContent).toContain('183'));
    expect(document.querySelector('[data-test=audit-own-fault]')).toBeNull();
  });

  it('is left to who may set it apart', async () => {
    await shown('lead');
    expect(hook('audit-apart-not-allowed').textContent).toContain('auditor');
    expect(document.querySelector('[data-test=audit-set-apart]')).toBeNull();
  });
});
