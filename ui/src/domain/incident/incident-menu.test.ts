import { expect, it } from 'vitest';
import type { Incident } from '$ui/generated/model';
import { demoPlatform } from '$ui/platform/demo/index';
import { makeIncidents } from '$ui/platform/demo/incidents';
import { App } from '$ui/state/app.svelte';
import { closeBlock, pendingBlock } from '$ui/domain/block/block-request.svelte';
import { IncidentActions } from './actions.svelte';
import { containMenu, incidentDoings, suspect } from './incident-menu';

it('offers to block whoever attacks, and of a measure of Redis nobody', () => {
  const app = new App(demoPlatform(new URLSearchParams()));
  const actions = new IncidentActions(app, () => undefined);
  const [some] = makeIncidents(0, 1);
  if (some === undefined) throw new Error('no incidents');
  const about = (family: Incident['family']): (string | undefined)[] => {
    const incident: Incident = { ...some, family, status: 'open' };
    return [...incidentDoings(app, actions, incident), ...containMenu(app, actions, incident, [])].map((item) => item.hook);
  };
  expect(about('sqli')).toEqual(expect.arrayContaining(['take', 'block', 'contain-user']));
  expect(about('redis_health')).toContain('take');
  expect(about('redis_health').filter((hook) => hook === 'block' || hook?.startsWith('contain-') === true)).toEqual([]);
});

it('offers to extend or take back the block of an address that is blocked', () => {
  const app = new App(demoPlatform(new URLSearchParams()));
  const actions = new IncidentActions(app, () => undefined);
  const [some, other] = makeIncidents(0, 2);
  if (some === undefined || other === undefined) throw new Error('no incidents');
  const incident: Incident = { ...some, family: 'sqli', status: 'open', entity: { kind: 'ip', value: '203.0.113.7' } };
  expect(suspect({ incident, entities: [] })).toBe('203.0.113.7');
  expect(suspect({ incident: { ...incident, entity: { kind: 'user', value: 'mara' } }, entities: [{ entity: { kind: 'ip', value: '203.0.113.9' }, events: 2 }] })).toBe('203.0.113.9');
  const labels = (of: Incident): (string | undefined)[] => incidentDoings(app, actions, of).filter(({ hook }) => hook === 'block' || hook === 'unblock').map(({ label }) => label);
  const block = { id: '1', target: '203.0.113.7', reason: 'x', created_by: 'mara', created_at: '2026-11-20T10:00:00Z', expires_at: '2026-11-21T10:00:00Z', state: 'active' as const, removed_at: null, removed_by: null, incident: null };
  const standing = { target: '203.0.113.7', standing: 'blocked' as const, detail: '', block, key: null, redis_ttl_s: null, in_redis: true, allow: null, inside_total: 0, inside: [] };
  actions.shown = incident;
  actions.standing = standing;
  expect(labels(incident)).toEqual(['Extend block', 'Unblock']);
  expect(labels({ ...other, family: 'sqli', status: 'open' }), 'of another one nothing is known').toEqual(['Block']);
  actions.unblock(incident);
  expect(pendingBlock.held).toBe(block);
  closeBlock();
  actions.standing = { ...standing, block: { ...block, target: '203.0.113.0/24' } };
  expect(labels(incident), 'a range covers it').toEqual(['Block', 'Unblock']);
});
