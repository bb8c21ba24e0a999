import { fireEvent, render, waitFor } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';
import { demoPlatform } from '$ui/platform/demo/index';
import { App, appContext } from '$ui/state/app.svelte';
import { described, hook, requests, type } from '$ui/test-hook';
import RecordsCard from './records-card.svelte';

describe('the retention of the audit trail', () => {
  it('is shown by class, and only what was changed is sent', async () => {
    const platform = demoPlatform();
    render(RecordsCard, { context: appContext(new App(platform)) });
    await waitFor(() => hook('records-reads'));
    expect(hook<HTMLInputElement>('records-security').value).toBe('7');
    await type('records-reads', '101');
    expect(hook<HTMLButtonElement>('records-save').disabled).toBe(true);
    expect(described('records-reads')).toBe('A whole number from 0 to 100.');
    await type('records-reads', '3');
    await type('records-reason', ' policy of the house ');
    await fireEvent.submit(hook('records-form'));
    await waitFor(() => expect(requests(platform, 'audit_retention_put')).toEqual([{ rules: [{ class: 'reads', years: 3 }], reason: 'policy of the house' }]));
    await waitFor(() => expect(hook<HTMLInputElement>('records-reads').value).toBe('3'));
  });
});
