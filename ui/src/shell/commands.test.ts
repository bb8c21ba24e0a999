// The palette reaches what can be done and what there is: the actions of the incident that is open, jobs, objects by name.

import { fireEvent, render, waitFor } from '@testing-library/svelte';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { demoPlatform } from '$ui/platform/demo/index';
import { matchCommands } from '$ui/shared/palette/match';
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

  it('is found by the words that people have for it, and offers to undo what was done', async () => {
    const app = await opened();
    const found = (typed: string): string[] => matchCommands(fixedCommands(app), typed).map(({ id }) => id);
    expect(found('time zone')).toContain('zone');
    expect(found('export events')).toContain('events-export');
    expect(found('columns')).toContain('events-columns');
    expect(found('undo')).not.toContain('undo');
    let undone = 0;
    app.toasts.done('Taken', { label: 'Undo', key: 'u', run: () => (undone += 1) });
    fixedCommands(app)
      .find(({ id }) => id === 'undo')
      ?.run();
    expect(undone).toBe(1);
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

  it('knows of a number whether there is such an incident', async () => {
    const app = await opened();
    const [there] = await findObjects(app, '7');
    expect(there).toMatchObject({ id: 'incident', label: expect.stringMatching(/^#7 ./) as string, severity: expect.stringMatching(/^(?:critical|high|medium|low|info)$/) as string });
    const [none] = await findObjects(app, '#999999');
    expect(none).toMatchObject({ id: 'incident', label: 'There is no incident #999999: show the queue' });
    none?.run();
    expect(router.current).toMatchObject({ panel: 'incidents', detail: null });
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

  it('is offered as an address by the way it is written, and as a name only if somebody has it', async () => {
    expect(typedCommands('203.0.113.7')[0]?.id).toBe('entity-ip');
    expect(typedCommands('undo').some((command) => command.id.startsWith('entity')), 'any word').toBe(false);
    const platform = demoPlatform();
    const app = new App(platform);
    await app.live.look();
    const answer = platform.answers.event_figures;
    const kept = (field: string, value: string) => ({ field, values: [{ value, n: 3 }] });
    platform.answers.event_figures = async (request) => {
      const figures = await answer?.(request);
      if (figures === undefined) throw new Error('the demo has figures');
      return { ...figures, facets: [kept('user', 'lena'), kept('session', 's-8786006eaadd2777')] };
    };
    const entities = async (typed: string): Promise<string[]> => (await findObjects(app, typed)).map((command) => command.id).filter((id) => id.startsWith('entity'));
    expect(await entities('lena')).toEqual(['entity-user']);
    expect(await entities('len'), 'a part of the name').toEqual(['entity-user-lena']);
    expect(await entities('s-8786006eaadd2777')).toEqual(['entity-session']);
    expect(await entities('undo')).toEqual([]);
    expect(platform.calls.filter(({ name }) => name === 'event_figures').at(-1)?.request).toMatchObject({ query: 'user:undo or session:undo', period: null });
    (await findObjects(app, 's-8786006eaadd2777')).find(({ id }) => id === 'entity-session')?.run();
    expect(router.current).toMatchObject({ panel: 'entities', detail: 'session:s-8786006eaadd2777' });
    const ranked = platform.answers.entity_risk_top;
    platform.answers.entity_risk_top = async (request) => {
      const page = await ranked?.(request);
      if (page === undefined) throw new Error('the demo ranks');
      const rows = page.rows.slice(0, 1).map((row) => ({ ...row, risk: { ...row.risk, entity: { kind: 'user' as const, value: 'svc-Backup' } } }));
      return { ...page, rows };
    };
    app.refresh();
    expect(await entities('backup'), 'with a risk, by any part of it').toEqual(['entity-user-svc-Backup']);
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
