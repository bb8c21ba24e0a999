import { fireEvent, render, waitFor } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';
import type { SuppressedFinding, Suppression } from '$ui/generated/model';
import { demoPlatform } from '$ui/platform/demo/index';
import { makeDetail, makeIncidents } from '$ui/platform/demo/incidents';
import type { FakePlatform } from '$ui/platform/fake';
import { App, appContext } from '$ui/state/app.svelte';
import { hook, requests } from '$ui/test-hook';
import HiddenFindings from './hidden-findings.svelte';

const SUPPRESSION: Suppression = { id: 's1', scope: { rule: 'wp.sqli.union' }, owner: 'mara', reason: 'Our own scanner', created_at: '2026-01-01T00:00:00Z', created_by: 'mara', expires_at: '2026-02-01T00:00:00Z', removed_at: null, removed_by: null, hidden: 450, last_hidden: null };

let platform: FakePlatform;
let down = false;

function findings(from: number, n: number): SuppressedFinding[] {
  const [incident] = makeIncidents(Date.now(), 1);
  const finding = incident === undefined ? undefined : makeDetail(incident).why[0]?.newest;
  if (finding === undefined) throw new Error('the demo has findings');
  return Array.from({ length: n }, (_, index) => ({ suppressed_by: 's1', at: '2026-01-02T00:00:00Z', finding: { ...finding, id: `f${from + index}` } }));
}

beforeEach(() => {
  down = false;
  platform = demoPlatform();
  platform.answers.suppression_findings = ({ after, limit }) => {
    const failure: unknown = { code: 'unavailable', message: 'the database does not answer' };
    if (down) throw failure;
    const from = after === null ? 0 : Number(after);
    const n = Math.min(limit, SUPPRESSION.hidden - from);
    return { rows: findings(from, n), next: from + n < SUPPRESSION.hidden ? String(from + n) : null };
  };
  render(HiddenFindings, { props: { suppression: SUPPRESSION, onclose: () => undefined }, context: appContext(new App(platform)) });
});

function shown(): number {
  return document.querySelectorAll('[data-test=hidden-finding]').length;
}

describe('what a suppression hid', () => {
  it('is shown page by page, and says how much of it that is', async () => {
    await waitFor(() => expect(shown()).toBe(200));
    expect(hook('hidden-some').textContent).toBe('The newest 200 of 450');
    await fireEvent.click(hook('hidden-more'));
    await waitFor(() => expect(shown()).toBe(400));
    await fireEvent.click(hook('hidden-more'));
    await waitFor(() => expect(shown()).toBe(450));
    expect(document.querySelector('[data-test=hidden-some], [data-test=hidden-more]')).toBeNull();
    expect(requests(platform, 'suppression_findings')).toMatchObject([{ after: null }, { after: '200' }, { after: '400' }]);
  });

  it('says that a page failed and keeps the others', async () => {
    await waitFor(() => expect(shown()).toBe(200));
    down = true;
    await fireEvent.click(hook('hidden-more'));
    await waitFor(() => expect(hook('hidden-findings').textContent).toContain('the database does not answer'));
    expect(shown()).toBe(200);
    down = false;
    await fireEvent.click(hook('hidden-more'));
    await waitFor(() => expect(shown()).toBe(400));
  });
});
