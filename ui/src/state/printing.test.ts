import { render, waitFor } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';
import { demoPlatform } from '$ui/platform/demo/index';
import { panels } from '$ui/shell/panels';
import { hook } from '$ui/test-hook';
import Shell from '../app.svelte';
import { App } from './app.svelte';
import { router } from './router.svelte';

function headings(): (string | null)[] {
  return [...document.querySelectorAll('[role=tabpanel] h3.printed')].map((heading) => heading.textContent);
}

describe('an incident on paper', () => {
  beforeEach(() => localStorage.clear());

  it('is all of its page, under the name of the workspace', async () => {
    router.go('incidents', '42');
    const platform = demoPlatform();
    const detail = platform.answers.incident_detail;
    platform.answers.incident_detail = async (request) => {
      const made = await detail?.(request);
      if (made === undefined) throw new Error('the demo has incidents');
      return { ...made, related: [{ kind: 'merged', outgoing: false, incident: { ...made.incident, number: 7, id: 'seven' }, at: made.incident.opened_at, by: 'mara' }] };
    };
    // As the window does before it is drawn.
    await panels.incidents.view.load();
    render(Shell, { app: new App(platform) });
    await waitFor(() => hook('incident-title'));
    await waitFor(() => hook('status-workspace'));
    expect(document.querySelector('[data-test=printed]')).toBeNull();
    dispatchEvent(new Event('beforeprint'));
    expect(hook('printed').textContent).toMatch(/^Connection shop-production, printed \d{4}-\d\d-\d\d \d\d:\d\d UTC\S*; all times in \S+$/);
    expect(headings()).toEqual(['Why', 'Evidence', 'Timeline', 'Response', 'Notes', 'Entities', 'Related']);
    expect(hook('related-incident').dataset['number'], 'what belongs to it').toBe('7');
    expect(document.querySelectorAll('[data-test=evidence-row]').length).toBeGreaterThan(0);
    dispatchEvent(new Event('afterprint'));
    await waitFor(() => expect(headings()).toEqual([]));
    expect(document.querySelector('[data-test=printed]')).toBeNull();
  });
});
