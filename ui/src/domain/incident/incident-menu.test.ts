import { expect, it } from 'vitest';
import type { Incident } from '$ui/generated/model';
import { demoPlatform } from '$ui/platform/demo/index';
import { makeIncidents } from '$ui/platform/demo/incidents';
import { App } from '$ui/state/app.svelte';
import { IncidentActions } from './actions.svelte';
import { containMenu, incidentDoings } from './incident-menu';

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
