import { render, waitFor } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';
import type { AuditRecord } from '$ui/generated/model';
import { demoPlatform } from '$ui/platform/demo/index';
import { App, appContext } from '$ui/state/app.svelte';
import { hook, requests } from '$ui/test-hook';
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
