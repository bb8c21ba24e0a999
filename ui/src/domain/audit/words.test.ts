import { describe, expect, it } from 'vitest';
import { actionText, actorText, changedOne, changeSides, changeText, doneText, fieldText, objectText, outcomeText, reasonText, residueOf, toldFirst } from './words';
import { operations } from '$ui/generated/operations';

describe('a record in words', () => {
  it('has words for every change that can be recorded', () => {
    const changes = Object.entries(operations).filter(([, spec]) => spec.effect !== 'read').map(([name]) => name);
    expect([...changes, 'incident_open', 'checkpoint.sign', 'key.add', 'key.revoke', 'erasure.done'].filter((name) => actionText(name) === name)).toEqual([]);
    expect(actionText('something_new'), 'of a newer console').toBe('something_new');
  });

  it.each([
    ['incident/16', 'Incident #16'],
    ['job/01a204c1-e7aa-7000-8000-00000000beef', 'Job …00beef'],
    ['rule/wp.sqli.union', 'Rule UNION SELECT appended'],
    ['block/203.0.113.7', 'Block 203.0.113.7'],
    ['setting/response_policy', 'Setting Response policy'],
    ['setting/of_a_newer_console', 'Setting of a newer console'],
    ['register/restore_test/01a205b6-74a6-7000-8000-0000000074a6', 'Register Restore test …0074a6'],
    ['contain/session:s-7f3a', 'Containment Session s-7f3a'],
    ['job_plan/cleanup', 'Job plan Clean up'],
    ['block_add/203.0.113.7', '203.0.113.7'],
    ['settings_put', 'Settings changed'],
    ['database', 'Database'],
    ['[erased]', '[erased]'],
    ['thing/of-a-newer-console', 'thing/of-a-newer-console'],
  ])('is about %s', (object, words) => {
    expect(objectText(object)).toBe(words);
  });

  it('says fields and values as the panels do', () => {
    expect([fieldText('status'), fieldText('tls.port')]).toEqual(['Status', 'tls.port']);
    expect([changeText('status', 'open', 'utc'), changeText('note', 'open', 'utc'), changeText('days', 7, 'utc'), changeText('status', null, 'utc')]).toEqual(['Open', 'open', '7', null]);
    expect([fieldText('step 3'), fieldText('file.pdf'), fieldText('wrong_kind')], 'of a newer console as words').toEqual(['Step 3', 'File (PDF)', 'Wrong kind']);
    expect([changeText('incident', 'entity', 'utc'), changeText('state', 'dry_run', 'utc', 'response/1'), changeText('state', 'active', 'utc', 'block/203.0.113.7')], 'by what was changed').toEqual(['entity', 'Dry run', 'Active']);
    expect(changeText('expires_at', '2026-11-21T08:30:00+00:00', 'utc')).toContain('08:30');
    expect(changeText('expires_at', '2026-11-21T08:30:00Z', 'utc')).toContain('08:30');
  });

  it('says what has parts by its parts, and no JSON', () => {
    expect(changeText('scope', { rule: 'wp.sqli.union', entity: { kind: 'ip', value: '203.0.113.7' } }, 'utc')).toContain('IP address 203.0.113.7');
    expect(changeText('limits', [{ metric: 'backlog', warning: 100, critical: null }], 'utc')).toBe('Metric Backlog, Warning 100');
    expect([changeText('enabled', true, 'utc'), changeText('keys', [], 'utc')]).toEqual(['yes', '–']);
  });

  it('says in words what a plan, a role and a merge hold', () => {
    const plan = [{ kind: 'cleanup', on: false, rhythm: { every: 'day' } }, { kind: 'aggregate', on: true, rhythm: { every: 'week', on: 'monday' } }];
    expect(changeText('jobs', plan, 'utc', 'setting/job_plan')).toMatch(/^Kind Clean up, Runs: no, Rhythm Daily, Kind (?!aggregate).*, Runs: yes, Rhythm Weekly, Monday$/);
    expect(changeText('assets', [{ kind: 'endpoint', label: 'tills' }], 'utc', 'setting/assets')).toBe('Kind Endpoint, Label tills');
    expect([fieldText('alex', 'role/alex'), changeText('alex', 'analyst', 'utc', 'role/alex')]).toEqual(['Role', 'Analyst']);
    expect([changeText('merged_into', 14, 'utc'), changeText('duplicate_of', 3, 'utc'), changeText('error', 'this console has no key', 'utc')]).toEqual(['#14', '#3', 'This console has no key']);
  });

  it('says of what has parts only those that changed', () => {
    const job = (kind: string, on: boolean) => ({ kind, on, rhythm: { every: 'day' } });
    const [before, after] = changeSides({ field: 'jobs', old: [job('cleanup', false), job('aggregate', true)], new: [job('cleanup', true), job('aggregate', true)] }, 'utc', 'setting/job_plan');
    expect([before, after]).toEqual(['Kind Clean up, Runs: no, Rhythm Daily', 'Kind Clean up, Runs: yes, Rhythm Daily']);
    expect(changeSides({ field: 'limits', old: { warning: 1, critical: 5 }, new: { warning: 2, critical: 5 } }, 'utc')).toEqual(['Warning 1', 'Warning 2']);
    expect(changeSides({ field: 'keys', old: ['a', 'b'], new: ['a', 'b', 'c'] }, 'utc')).toEqual(['–', 'c']);
    expect(changeSides({ field: 'keys', old: ['a', 'b'], new: ['b', 'a'] }, 'utc'), 'their order').toEqual(['a, b', 'b, a']);
    expect(changeSides({ field: 'rhythm', old: { every: 'week', on: 'monday' }, new: { every: 'week', on: 'friday' } }, 'utc')).toEqual(['Weekly, Monday', 'Weekly, Friday']);
    expect(changeSides({ field: 'incident_status', old: 'open', new: 'contained' }, 'utc', 'block/203.0.113.7')).toEqual(['Open', 'Contained']);
    expect(changeSides({ field: 'days', old: null, new: 7 }, 'utc')).toEqual([null, '7']);
  });

  it('does not say that something was done which failed or was refused', () => {
    const outcomes = ['started', 'success', 'failure', 'denied'] as const;
    expect(outcomes.map((outcome) => doneText({ action: 'audit_key_roll', outcome }))).toEqual(['Signing key renewed', 'Signing key renewed', 'Tried: Signing key renewed', 'Tried: Signing key renewed']);
  });

  it('says of an erasure that is done what was left, not that somebody tried', () => {
    const change = (field: string, value: unknown) => ({ field, old: null, new: value });
    const looked = (found: number, unread: number) => ({
      action: 'privacy_erase',
      object: 'erasure/7',
      outcome: found + unread > 0 ? ('failure' as const) : ('success' as const),
      changes: [change('found', found), change('unread', unread), change('unclear', 2), change('out_of_reach', 4), change('clean', 40)],
    });
    const told = [looked(1, 0), looked(0, 1), looked(0, 0)].map((record) => [doneText(record), outcomeText(record), residueOf(record)]);
    expect(told).toEqual([
      ['Erased, copies left', 'Not all', 'found'],
      ['Erased, copies unread', 'Not all', 'unread'],
      ['Erased, nothing left found', 'Success', 'clean'],
    ]);
    const erased = { action: 'privacy_erase', object: 'erasure/7', outcome: 'success' as const, changes: [change('events', '3 removed, 0 changed')] };
    expect([doneText(erased), outcomeText(erased)]).toEqual(['Person erased', 'Success']);
    const failed = { action: 'privacy_erase', object: 'privacy_erase', outcome: 'failure' as const, changes: [] };
    expect([doneText(failed), outcomeText(failed)]).toEqual(['Tried: Person erased', 'Failure']);
  });

  it('says of a check that found something what it found, not that somebody tried', () => {
    const found = { action: 'audit_verify', object: 'audit', outcome: 'failure' as const, changes: [{ field: 'leaves', old: null, new: 31 }] };
    expect([doneText(found), outcomeText(found)]).toEqual(['Trail verified: does not hold', 'Does not hold']);
    const stopped = { ...found, changes: [] };
    expect([doneText(stopped), outcomeText(stopped)]).toEqual(['Tried: Trail verified', 'Failure']);
    const good = { ...found, outcome: 'success' as const };
    expect([doneText(good), outcomeText(good)]).toEqual(['Trail verified', 'Success']);
  });

  it('tells of what has only an id what its record says', () => {
    const change = (field: string, value: unknown) => ({ field, old: null, new: value });
    const response = [change('state', 'dry_run'), change('action', 'block_ip'), change('target', '203.0.113.7')];
    expect(objectText('response/01a204c1-e7aa-7000-8000-00000030bcaa', response)).toBe('Block the address: 203.0.113.7');
    expect(objectText('report/01a204c1-e7aa-7000-8000-00000030bcaa', [change('framework', 'summary')])).toBe('Report: Security summary');
    expect(objectText('bulk/01a204c1-e7aa-7000-8000-00000030bcaa', [change('changed', 2)])).toBe('Bulk action on 2 incidents');
    expect([objectText('bulk/17@2', [change('restored', 1)]), changedOne('bulk/17@2'), changedOne('bulk/01a204c1')]).toEqual(['Incident #17', '17', null]);
    expect(toldFirst([change('node', '127.0.0.1:6379'), change('parameters', 'days 7')]).map((one) => one.field)).toEqual(['parameters', 'node']);
  });

  it('has one name for Watchpost and words for its own reasons', () => {
    expect([actorText({ actor: 'engine', origin: 'engine' }), actorText({ actor: 'watchpost', origin: 'engine' }), actorText({ actor: 'engine', origin: 'cli' })]).toEqual(['Watchpost', 'Watchpost', 'engine']);
    const signed = ['accept', 'backup', 'close', 'demand', 'export', 'interval', 'key.add', 'key.revoke', 'key.roll', 'places', 'proof', 'timestamp'];
    expect(signed.filter((reason) => reasonText('checkpoint.sign', reason) === reason)).toEqual([]);
    expect([reasonText('key.add', 'watchpost-session/af80fb8c'), reasonText('block_add', 'interval')]).toEqual(['Key of one session, af80fb8c', 'interval']);
  });
});
