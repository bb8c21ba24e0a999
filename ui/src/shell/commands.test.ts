// The palette reaches what can be done and what there is: the actions of the incident that is open, jobs, objects by name.

import { fireEvent, render, waitFor } from '@testing-library/svelte';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { demoPlatform } from '$ui/platform/demo/index';
import { App, appContext } from '$ui/state/app.svelte';
import { router } from '$ui/state/router.svelte';
import { entityOf } from '$ui/domain/entity/key';
import { savedViews } from '$ui/domain/incident/views.svelte';
import { reach } from '$ui/shared/reach';
import { hook } from '$ui/test-hook';
import IncidentsView from '$ui/views/incidents/incidents-view.svelte';
import { fixedCommands, typedCommands } from './commands';
import { findObjects } from './objects';

async function opened(role: 'lead' | 'viewer' = 'lead', merged = false): Promise<App> {
  const platform = demoPlatform();
  const status = platform.answers.workspace_status;
  platform.answers.workspace_status = async () => {
    const made = await status?.({});
    if (made === undefined) throw new Error('the demo has a status');
    return { ...made, caller: { ...made.caller, role } };
  };
  const detail = platform.answers.incident_detail;
  platform.answers.incident_detail = async (request) => {
    const made = await detail?.(request);
    if (made === undefined) throw new Error('the demo has incidents');
    return { ...made, incident: { ...made.incident, status: 'open' as const, ...(merged ? { merged_into: 5 } : {}) } };
  };
  const app = new App(platform);
  await app.live.look();
  return app;
}

function ids(app: App): string[] {
  return fixedCommands(app).map((command) => command.id);
}

async function onIncident(app: App): Promise<void> {
  router.go('incidents', '42', { status: 'all' });
  render(IncidentsView, { context: appContext(app) });
  await waitFor(() => hook('incident-title'));
}

beforeEach(() => router.go('overview'));

describe('the palette', () => {
  it('offers what can be done to the incident that is open, and does it', async () => {
    const app = await opened();
    await onIncident(app);
    await waitFor(() => expect(ids(app)).toContain('incident-assign'));
    expect(ids(app)).toEqual(expect.arrayContaining(['incident-take', 'incident-resolve', 'incident-note', 'incident-escalate', 'incident-merge', 'incident-suppress', 'incident-block']));
    fixedCommands(app)
      .find((command) => command.id === 'incident-note')
      ?.run();
    await waitFor(() => hook('note-text'));
  });

  it('offers nothing that would be refused', async () => {
    const app = await opened('lead', true);
    await onIncident(app);
    await waitFor(() => expect(ids(app)).toContain('incident-split'));
    for (const id of ['take', 'resolve', 'block', 'note', 'assign']) expect(ids(app), id).not.toContain(`incident-${id}`);
    expect(document.querySelector('[data-test=take]')).toBeNull();
    await fireEvent.click(hook('merged-go'));
    expect(router.current.detail).toBe('5');
  });

  it('leaves out what the person may not do', async () => {
    const app = await opened('viewer');
    for (const id of ['job-cleanup', 'audit-verify', 'report-produce', 'rule-reload', 'block']) expect(ids(app), id).not.toContain(id);
    expect(ids(await opened())).toEqual(expect.arrayContaining(['job-cleanup', 'job-export', 'job-import', 'audit-verify', 'report-produce', 'rule-reload', 'language-de']));
  });

  it('forgets the incident with its panel', async () => {
    const app = await opened();
    router.go('incidents', '42', { status: 'all' });
    const { unmount } = render(IncidentsView, { context: appContext(app) });
    await waitFor(() => expect(ids(app)).toContain('incident-assign'));
    unmount();
    expect(ids(app)).not.toContain('incident-assign');
  });

  it('finds incidents, rules, frameworks and saved views by what they are called', async () => {
    const app = await opened();
    savedViews.save('Night watch', { severity: 'critical' });
    expect(fixedCommands(app).some((command) => command.label === 'Night watch')).toBe(true);
    savedViews.remove('Night watch');
    const rules = await app.read('rule_list', {});
    const rule = rules.rules[0];
    if (rule === undefined) throw new Error('the demo has rules');
    const found = await findObjects(app, rule.id);
    found.find((command) => command.id === `rule-${rule.id}`)?.run();
    expect([router.current.panel, router.current.detail]).toEqual(['rules', rule.id]);
    expect((await findObjects(app, 'sql')).some((command) => command.id.startsWith('incident-'))).toBe(true);
    expect(await findObjects(app, 's'), 'one letter says nothing').toEqual([]);
  });
});

describe('what is typed', () => {
  it.each([
    ['203.0.113.7', 'ip'],
    ['203.0.113.0/24', 'ip'],
    ['2001:db8::1', 'ip'],
    ['user:take', 'user'],
    ['mara@example.org', 'user'],
    ['/api/login', 'endpoint'],
    ['take', null],
    ['two words', null],
  ])('%j is an entity: %s', (typed, kind) => expect(entityOf(typed)?.kind ?? null).toBe(kind));

  it('offers a word as a user after everything else', () => {
    expect(typedCommands('take').at(-1)?.id).toBe('entity');
    expect(typedCommands('203.0.113.7')[0]).toMatchObject({ id: 'entity', last: false });
  });
});

describe('reach', () => {
  it('waits for what is not drawn yet, and presses it', async () => {
    const pressed = vi.fn();
    reach('[data-test=late]', true);
    const button = document.createElement('button');
    button.dataset['test'] = 'late';
    button.addEventListener('click', pressed);
    document.body.append(button);
    await waitFor(() => expect(pressed).toHaveBeenCalledOnce());
    button.remove();
  });
});
