import { fireEvent, render, waitFor } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';
import type { IncidentDetail } from '$ui/generated/model';
import { demoPlatform } from '$ui/platform/demo/index';
import { App, appContext } from '$ui/state/app.svelte';
import { router } from '$ui/state/router.svelte';
import { hook, requests } from '$ui/test-hook';
import IncidentsView from '$ui/views/incidents/incidents-view.svelte';
import { code, incidentMarkdown, plain } from './markdown';

async function detailOf(number: number): Promise<IncidentDetail> {
  const made = await demoPlatform().answers.incident_detail?.({ number });
  if (made === undefined) throw new Error('the demo has incidents');
  return made;
}

beforeEach(() => localStorage.clear());

describe('text of somebody else', () => {
  it('is never markup', () => {
    expect(plain('# *x* [a](b) <img> `c`\n- y')).toBe('\\# \\*x\\* \\[a\\](b) \\<img\\> \\`c\\`\\\\n- y');
    expect(plain('y\u202e')).toBe('y\\\\u{202e}');
    expect(code('a`b``c')).toBe('```a`b``c```');
    expect(code('`')).toBe('`` ` ``');
    expect(code('x\n# y')).toBe('`x\\n# y`');
  });
});

describe('an incident as Markdown', () => {
  it('says what its page says, in the zone that is chosen', async () => {
    const detail = await detailOf(42);
    const [hit] = detail.why;
    const text = incidentMarkdown(detail, 'utc');
    expect(text.startsWith(`# #42 ${plain(detail.incident.title)}\n\n- Severity: `)).toBe(true);
    for (const title of ['Why', 'Evidence', 'Entities', 'Timeline']) expect(text).toContain(`\n## ${title}\n`);
    expect(text).toContain(hit?.newest.rule_id);
    expect(text).toContain(' UTC');
    expect(incidentMarkdown(detail, 'local'), 'a reader elsewhere has another zone').not.toContain(' Local');
    expect(text).not.toMatch(/\n{3}/);
    const note = { id: 'n', author: 'mara', at: detail.incident.last_seen, text: '**seen** ![x](http://a)\n<b>' };
    expect(incidentMarkdown({ ...detail, notes: [note] }, 'utc')).toContain('> **seen** \\![x](http://a)\n> \\<b>');
  });

  it('keeps hostile values inside of code', async () => {
    const detail = await detailOf(42);
    const [first] = detail.evidence;
    if (first?.event.http === undefined || first.event.http === null) throw new Error('the demo has requests');
    first.event.http.query = 'q=`</code><script>\n# heading\u202e';
    const text = incidentMarkdown(detail, 'utc');
    expect(text).toContain('</code><script>\\n# heading\\u{202e}``');
    expect(text).not.toContain('\n# heading');
  });
});

describe('the menu of an incident', () => {
  it('copies it and writes its report', async () => {
    const platform = demoPlatform();
    platform.picked = '/home/mara/incident-42.pdf';
    const status = platform.answers.workspace_status;
    platform.answers.workspace_status = async () => {
      const made = await status?.({});
      if (made === undefined) throw new Error('the demo has a status');
      return { ...made, connection: made.connection === null ? null : { ...made.connection, production: false } };
    };
    router.go('incidents', '42', { status: 'all' });
    const app = new App(platform);
    await app.live.look();
    render(IncidentsView, { context: appContext(app) });
    await waitFor(() => hook('incident-title'));
    await fireEvent.click(hook('incident-menu'));
    const menu = hook('incident-menu').nextElementSibling as HTMLElement;
    menu.hidePopover = () => undefined;
    menu.dispatchEvent(Object.assign(new Event('toggle'), { newState: 'open' }));
    await waitFor(() => hook('markdown'));
    await fireEvent.click(hook('markdown'));
    await waitFor(() => expect(platform.copied).toHaveLength(1));
    expect(platform.copied[0]).toContain('# #42 ');

    await fireEvent.click(hook('incident-menu'));
    menu.dispatchEvent(Object.assign(new Event('toggle'), { newState: 'open' }));
    await waitFor(() => hook('pdf'));
    await fireEvent.click(hook('pdf'));
    await waitFor(() => expect(requests(platform, 'report_generate')).toHaveLength(1));
    const incident = (await platform.answers.incident_detail?.({ number: 42 }))?.incident;
    expect(requests(platform, 'report_generate')[0]).toMatchObject({ framework: 'incident', subject: '42', period: { from: incident?.first_seen }, files: [{ format: 'pdf', path: '/home/mara/incident-42.pdf', replace: true }] });
  });
});
