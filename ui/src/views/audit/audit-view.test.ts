import { cleanup, fireEvent, render, waitFor } from '@testing-library/svelte';
import { tick } from 'svelte';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AuditFilter, AuditPageRequest, AuditVerification, AuditVerify } from '$ui/generated/model';
import { demoPlatform } from '$ui/platform/demo/index';
import type { FakePlatform } from '$ui/platform/fake';
import { App, appContext } from '$ui/state/app.svelte';
import { clock } from '$ui/state/clock.svelte';
import { prefs } from '$ui/state/prefs.svelte';
import { choose, hook, requests, type } from '$ui/test-hook';
import AuditView from './audit-view.svelte';

let platform: FakePlatform;

beforeEach(async () => {
  prefs.trust = 'closed';
  platform = demoPlatform();
  render(AuditView, { context: appContext(new App(platform)) });
  await waitFor(() => hook('audit-row'));
});

afterEach(() => {
  clock.now = Date.now();
});

describe('the audit trail', () => {
  it('is newest first and filters at the backend', async () => {
    expect(hook('audit-row').dataset['seq']).toBe('4811');
    await choose('audit-outcome', 'denied');
    await waitFor(() => expect(new Set([...document.querySelectorAll('[data-test=audit-row]')].map((row) => row.getAttribute('data-outcome')))).toEqual(new Set(['denied'])));
    expect(platform.calls.findLast((call) => call.name === 'audit_page')?.request).toMatchObject({ filter: { outcome: 'denied', text: null }, before: null });
  });

  it('shows the signatures of Watchpost where somebody asks for them', async () => {
    const { audit_page: answer } = platform.answers;
    platform.answers.audit_page = async (request) => {
      const page = await answer?.(request);
      if (page === undefined) throw new Error('the demo has a trail');
      return { ...page, rows: page.rows.map((row, at) => (at % 2 === 0 ? row : { ...row, action: 'checkpoint.sign', outcome: 'success' as const, reason: 'close' })) };
    };
    const shown = (): number => document.querySelectorAll('[data-test=audit-row][data-action="checkpoint.sign"]').length;
    cleanup();
    render(AuditView, { context: appContext(new App(platform)) });
    await waitFor(() => hook('audit-row'));
    expect(shown()).toBe(0);
    await fireEvent.click(hook('audit-signatures'));
    await waitFor(() => expect(shown()).toBeGreaterThan(2));
  });

  it('leads from what was acted on to its page, or to all that was done to it', async () => {
    const objects = [...document.querySelectorAll<HTMLElement>('[data-test=audit-object]')];
    for (const link of objects.filter((object) => /^incident\/\d+$/.test(object.title))) expect(link.getAttribute('href')).toMatch(/^#\/incidents\/\d+$/);
    const other = objects.find((object) => object.tagName === 'BUTTON');
    if (other === undefined) throw new Error('the demo has objects without a page');
    const name = other.title.replace('Only what was done to ', '');
    await fireEvent.click(other);
    await waitFor(() => expect((platform.calls.findLast((call) => call.name === 'audit_page')?.request as AuditPageRequest).filter.text).toBe(name));
  });

  it('is looked at for a time, and as a whole again', async () => {
    const asked = (): AuditFilter => (platform.calls.findLast((call) => call.name === 'audit_page')?.request as AuditPageRequest).filter;
    expect(asked().from).toBeUndefined();
    clock.now = Date.UTC(2026, 10, 21, 12, 0, 30);
    await choose('audit-since', '7d');
    await waitFor(() => expect(asked().from).toBe('2026-11-14T12:05:00.000Z'));
    clock.now += 3_600_000;
    await tick();
    expect(asked().from, 'a list that is read keeps its end').toBe('2026-11-14T12:05:00.000Z');
    expect(asked().to, 'what is recorded from now on belongs to it').toBeUndefined();
    await fireEvent.click(hook('audit-clear'));
    await waitFor(() => expect(hook<HTMLButtonElement>('audit-clear').disabled).toBe(true));
    expect(hook<HTMLSelectElement>('audit-since').value).toBe('all');
  });

  it('opens a record to before and after and its leaf hash', async () => {
    const changed = document.querySelector<HTMLElement>('[data-test=audit-row][data-action=settings_put][data-outcome=success]');
    if (changed === null) throw new Error('no such record');
    await fireEvent.click(changed);
    await waitFor(() => hook('audit-diff'));
    expect(hook('audit-diff').querySelector('del')?.textContent).toBe('3');
    expect(hook('audit-diff').querySelector('ins')?.textContent).toBe('1');
    expect(hook('audit-leaf-hash').textContent).toMatch(/^[\da-f]{64}$/);
  });

  it('verifies and says what that is worth', async () => {
    await fireEvent.click(hook('audit-verify'));
    await waitFor(() => expect(hook('audit-verification').dataset['ok']).toBe('true'));
    expect(hook('audit-strength').dataset['strength']).toBe('second_place');
    expect(hook('audit-root').textContent).not.toBe('');
  });

  it('says how far a check is, and stops it', async () => {
    let letGo = (): void => undefined;
    const gate = new Promise<void>((resolve) => (letGo = resolve));
    platform.answers.audit_verify = async () => {
      await gate;
      const failure: unknown = { code: 'cancelled', message: 'the check was stopped at record 2,000' };
      throw failure;
    };
    platform.answers.audit_verify_cancel = () => {
      letGo();
      return { step: '', done: 2_000, total: 4_812, running: false };
    };
    await fireEvent.click(hook('audit-verify-full'));
    await waitFor(() => expect(document.querySelector('[role=progressbar]')?.getAttribute('aria-valuenow')).not.toBeNull(), { timeout: 2_000 });
    expect(hook<HTMLButtonElement>('audit-verify').disabled, 'one at a time').toBe(true);
    await fireEvent.click(hook('audit-verify-stop'));
    await waitFor(() => expect(document.querySelector('main, body')?.textContent).toContain('The check was stopped at record 2,000'));
    const [asked] = requests(platform, 'audit_verify') as AuditVerify[];
    expect(asked?.full).toBe(true);
    expect(requests(platform, 'audit_verify_cancel')).toEqual([{ ticket: asked?.ticket }]);
    expect(hook('audit-verification').dataset['ok'], 'nothing is known of it').toBe('unknown');
    expect(document.querySelector('[data-test=audit-verify-stop]')).toBeNull();
  });

  it('says where words are not looked for when none are found', async () => {
    platform.answers.audit_page = () => ({ rows: [], next: null, size: 4_812, uncovered: 0, checkpoint: null });
    await type('audit-text', 'nowhere');
    await waitFor(() => expect(hook('audit-none').textContent).toContain('not searched'));
  });

  it('sets a command in what it says of a trail apart from the words', async () => {
    const calm = await platform.call('audit_trust', {});
    cleanup();
    platform.answers.audit_trust = () => ({ ...calm, ok: false, problem: 'it found: x. Each `watchpost audit verify` reads everything', first_bad_seq: 40, strength: 'local_only' });
    render(AuditView, { context: appContext(new App(platform)) });
    await waitFor(() => hook('audit-doubt-why'));
    expect(hook('audit-doubt-why').textContent).not.toContain('`');
    expect(hook('audit-doubt-why').querySelector('code')?.textContent).toBe('watchpost audit verify');
  });

  it('says what was read now and what an earlier check read', async () => {
    const calm = await platform.call('audit_trust', {});
    platform.answers.audit_trust = () => ({ ...calm, verified_size: 4_700, verified_at: '2026-11-20T10:00:00Z' });
    cleanup();
    render(AuditView, { context: appContext(new App(platform)) });
    await waitFor(() => hook('audit-trust'));
    await fireEvent.click(hook('audit-verify'));
    await waitFor(() => hook('audit-read'));
    expect(hook('audit-read').textContent).toContain('112 records');
    expect(hook('audit-not-read').textContent).toContain('4,700 records');
    expect(hook('audit-not-read').querySelector('time')?.getAttribute('datetime')).toBe('2026-11-20T10:00:00Z');
    expect(hook('audit-not-read').textContent).toContain('Read every record');
  });

  it('tells once what a check found, and that nothing counts as read then', async () => {
    const calm = await platform.call('audit_trust', {});
    const finding = 'record 7 was changed';
    cleanup();
    platform.answers.audit_trust = () => ({ ...calm, ok: false, problem: `it found: ${finding}`, first_bad_seq: 7, failed_at: '2026-11-20T10:00:00Z', verified_size: null, verified_at: null, full_at: null });
    platform.answers.audit_verify = () => ({ ok: false, leaves: 10, from: 0, unrecorded: false, witnesses: 0, root: 'x', checkpoints: 1, first_bad_seq: 7, problems: [finding], warnings: [], erased: [], set_apart: [], own_faults: [], altered: [], strength: 'session_key' });
    const shown = render(AuditView, { context: appContext(new App(platform)) });
    await waitFor(() => expect(hook('audit-doubt').textContent, 'of a check before').toContain(finding));
    await fireEvent.click(hook('audit-verify'));
    await waitFor(() => hook('audit-problems'));
    expect(document.querySelector('[data-test=audit-doubt]')).toBeNull();
    expect(shown.container.textContent?.split(finding)).toHaveLength(2);
    expect(hook('audit-trust').textContent).toContain('nothing counts as read until a check finds nothing');
    expect(hook('audit-trust').textContent).not.toContain('not all records have been read');
  });

  it('does not soften a trail that does not hold', async () => {
    platform.answers.audit_verify = () => ({ ok: false, leaves: 10, from: 0, unrecorded: false, witnesses: 0, root: 'x', checkpoints: 1, first_bad_seq: 7, first_bad_tile: 'tile/0/000', problems: ['record 7 was changed'], warnings: [], erased: [], set_apart: [], own_faults: [], altered: [], strength: 'session_key', stamp: { size: 5, at: '2026-11-22T07:56:22Z', authority: 'Test TSA', kept_at: '2026-11-22T08:00:00Z' } });
    await fireEvent.click(hook('audit-verify'));
    await waitFor(() => expect(hook('audit-verification').dataset['ok']).toBe('false'));
    expect(hook('audit-problems').textContent).toContain('record 7 was changed');
    expect(hook('audit-problems').closest('section')?.className, 'it is shown whole').toContain('whole');
    expect(hook('audit-problems').textContent).toContain('#7');
    expect(hook('audit-first-bad-tile').textContent).toBe('tile/0/000');
    expect(hook('audit-problems').querySelector('p')?.textContent, 'number and tile are two things').toContain('#7\u00a0· tile/0/000');
    expect(hook('audit-stamp').textContent).toContain('Test TSA');
  });

  it('says of an altered place that the trail itself holds, unless it does not', async () => {
    const place = '/share/newest.checkpoint is not a checkpoint of this log: somebody altered it';
    const found: AuditVerification = { ok: false, leaves: 10, from: 0, unrecorded: false, witnesses: 0, root: 'x', checkpoints: 1, first_bad_seq: null, problems: [place], warnings: [], erased: [], set_apart: [], own_faults: [], altered: [place], strength: 'local_only' };
    platform.answers.audit_verify = () => found;
    await fireEvent.click(hook('audit-verify'));
    await waitFor(() => expect(hook('audit-verification').textContent).toContain('The trail itself holds'));
    expect(hook('audit-verification').dataset['ok'], 'somebody has to look').toBe('false');
    expect(hook('audit-problems').textContent).toContain(place);
    platform.answers.audit_verify = () => ({ ...found, first_bad_seq: 7, problems: ['record 7 was changed', place] });
    await fireEvent.click(hook('audit-verify'));
    await waitFor(() => expect(hook('audit-verification').textContent).toContain('The trail does not hold'));
  });

  it('leads from a record that its own writer got wrong to where it is set apart, and tells what is', async () => {
    const [row] = (await platform.call('audit_page', { filter: { text: null, actor: null, action: null, outcome: null }, before: null, limit: 1 })).rows;
    if (row === undefined) throw new Error('the demo has records');
    const problem = 'record 7: what it says of a key is not vouched for';
    platform.answers.audit_show = () => ({ record: { ...row, seq: 7 }, leaf: '{}', covered_by: null, erased_by: null });
    platform.answers.audit_verify = () => ({ ok: false, leaves: 10, from: 0, unrecorded: false, witnesses: 0, root: 'x', checkpoints: 1, first_bad_seq: 6, problems: ['record 6: the leaf is not canonical', problem], warnings: [], erased: [], set_apart: [{ record: 3, by: 9, problem: 'record 3: the payload does not open with its key' }], own_faults: [{ record: 7, problem }], altered: [], strength: 'session_key' });
    await fireEvent.click(hook('audit-verify'));
    await waitFor(() => expect(hook('audit-apart').textContent).toMatch(/record 3: the payload does not open.*Set apart by record 9/));
    expect(document.querySelectorAll('[data-test=audit-own-fault-open]'), 'what was altered is not the fault of its writer').toHaveLength(1);
    await fireEvent.click(hook('audit-own-fault-open'));
    await waitFor(() => expect(hook('audit-own-fault').textContent).toContain(problem));
    expect(hook('audit-set-apart').textContent).toContain('Set apart');
  });

  it('folds away on what the evidence rests until it is asked for or needs somebody', async () => {
    await waitFor(() => expect(hook('audit-trust').textContent).toContain('Second place'));
    await waitFor(() => expect(hook('audit-key').closest('[hidden]'), 'a click away').not.toBeNull());
    expect(hook('audit-trust-signed').textContent, 'how far it is signed is not').toContain('Signed');
    await fireEvent.click(hook('audit-trust-more'));
    expect(hook('audit-key').closest('[hidden]')).toBeNull();
    expect(hook('audit-checkpoint-copy').closest('[hidden]')).toBeNull();
    await fireEvent.click(hook('audit-trust-more'));
    expect(hook('audit-key').closest('[hidden]')).not.toBeNull();
    const calm = await platform.call('audit_trust', {});
    platform.answers.audit_trust = () => ({ ...calm, places: calm.places.map((place) => ({ ...place, ok: false, detail: 'it lacks the newest checkpoint' })) });
    cleanup();
    render(AuditView, { context: appContext(new App(platform)) });
    await waitFor(() => expect(hook('audit-place').textContent).toContain('it lacks the newest checkpoint'));
    expect(hook('audit-place').closest('[hidden]')).toBeNull();
  });

  it('says how strong the evidence is, and changes where checkpoints are kept', async () => {
    await waitFor(() => expect(hook('audit-trust').dataset['strength']).toBe('second_place'));
    expect([...document.querySelectorAll('[data-test=audit-place]')].map((place) => place.textContent)).toHaveLength(2);
    await fireEvent.click(hook('audit-places-edit'));
    await waitFor(() => hook('audit-places-folders'));
    await fireEvent.input(hook('audit-places-folders'), { target: { value: ' /mnt/one \n\n/mnt/two' } });
    await fireEvent.click(hook('audit-places-redis'));
    expect(document.querySelector('[data-test=audit-places-webhook-ca]'), 'only where there is a webhook').toBeNull();
    await fireEvent.input(hook('audit-places-webhook'), { target: { value: ' https://log.example/checkpoints ' } });
    await waitFor(() => hook('audit-places-webhook-ca'));
    await fireEvent.click(hook('audit-places-save'));
    await waitFor(() => expect(platform.calls.findLast((call) => call.name === 'audit_places_put')?.request).toEqual({ places: { folders: ['/mnt/one', '/mnt/two'], redis: false, webhook: { url: 'https://log.example/checkpoints' } } }));
    await waitFor(() => expect([...document.querySelectorAll('[data-test=audit-place]')].at(-1)?.textContent).toContain('https://log.example/checkpoints'));
  });

  it('says from what age on a signing key is old, and changes that; 0 is never', async () => {
    await waitFor(() => expect(hook('audit-key').textContent).toContain('counts as old after 365 days'));
    await fireEvent.click(hook('audit-key-edit'));
    await waitFor(() => hook('audit-key-days'));
    await type('audit-key-days', '4000');
    expect(hook<HTMLButtonElement>('audit-key-save').disabled, 'ten years at most').toBe(true);
    await type('audit-key-days', '0');
    await type('audit-key-reason', ' the policy of the house ');
    await fireEvent.click(hook('audit-key-save'));
    await waitFor(() => expect(requests(platform, 'audit_key_age_put')).toEqual([{ days: 0, reason: 'the policy of the house' }]));
    await waitFor(() => expect(hook('audit-key').textContent).toContain('never counts as old'));
  });

  it('raises the alarm when the log does not continue what was seen, and takes it as it is with a reason only', async () => {
    const calm = await platform.call('audit_trust', {});
    platform.answers.audit_trust = () => ({ ...calm, ok: false, problem: 'the log was rolled back', first_bad_seq: 40, strength: 'local_only' });
    platform.answers.audit_accept = () => calm;
    cleanup();
    render(AuditView, { context: appContext(new App(platform)) });
    await waitFor(() => expect(hook('audit-doubt').textContent).toContain('the log was rolled back'));
    await fireEvent.click(hook('audit-accept'));
    await waitFor(() => expect(hook<HTMLButtonElement>('audit-accept-do').disabled).toBe(true));
    await fireEvent.input(hook('audit-accept-reason'), { target: { value: 'a backup was put back' } });
    await fireEvent.click(hook('audit-accept-do'));
    await waitFor(() => expect(platform.calls.findLast((call) => call.name === 'audit_accept')?.request).toEqual({ reason: 'a backup was put back' }));
  });

  it('exports a period to a folder and gives the key', async () => {
    await fireEvent.click(hook('audit-export'));
    await waitFor(() => hook('audit-export-folder'));
    await fireEvent.input(hook('audit-export-folder'), { target: { value: '/home/mara/trail' } });
    await fireEvent.input(hook('audit-export-from'), { target: { value: '2026-10-32' } });
    expect(hook<HTMLButtonElement>('audit-export-do').disabled, 'October has no 32nd').toBe(true);
    await fireEvent.input(hook('audit-export-from'), { target: { value: '2026-10-01' } });
    await fireEvent.input(hook('audit-export-to'), { target: { value: '2026-10-01' } });
    expect(hook<HTMLButtonElement>('audit-export-do').disabled, 'a period of nothing').toBe(true);
    await fireEvent.input(hook('audit-export-to'), { target: { value: '' } });
    await fireEvent.click(hook('audit-export-do'));
    await waitFor(() => expect(hook('audit-export-key').textContent).toContain('watchpost/'));
    expect(platform.calls.findLast((call) => call.name === 'audit_export')?.request).toMatchObject({ directory: '/home/mara/trail', from: new Date(2026, 9, 1).toISOString(), to: null });
  });

  it('warns of what nobody can read in an export', async () => {
    const calm = await platform.call('audit_export', { directory: '/home/mara/trail', from: null, to: null });
    platform.answers.audit_export = () => ({ ...calm, unreadable: [7, 12] });
    await fireEvent.click(hook('audit-export'));
    await waitFor(() => hook('audit-export-folder'));
    await fireEvent.input(hook('audit-export-folder'), { target: { value: '/home/mara/trail' } });
    await fireEvent.click(hook('audit-export-do'));
    await waitFor(() => expect(hook('audit-export-unreadable').textContent).toMatch(/^2 records .*#7, #12.*does not verify/));
  });

  it('says how many newer records are not in an export', async () => {
    const calm = await platform.call('audit_export', { directory: '/home/mara/trail', from: null, to: null });
    platform.answers.audit_export = () => ({ ...calm, uncovered: 98 });
    await fireEvent.click(hook('audit-export'));
    await waitFor(() => hook('audit-export-folder'));
    await fireEvent.input(hook('audit-export-folder'), { target: { value: '/home/mara/trail' } });
    await fireEvent.click(hook('audit-export-do'));
    await waitFor(() => expect(hook('audit-export-uncovered').textContent).toMatch(/^98 newer records are not in it/));
  });

  it('gives the newest checkpoint away', async () => {
    await fireEvent.click(hook('audit-checkpoint-copy'));
    await waitFor(() => expect(platform.copied[0]).toContain('watchpost/shop-production\n4806\n'));
  });
});
