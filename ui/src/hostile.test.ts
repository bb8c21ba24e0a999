// Every text that the backend answers with is made hostile, and every panel, page and drawer is looked at: none of it may
// stand on screen, in a title or in a name for screen readers without its hidden characters shown.

import { fireEvent, render, waitFor } from '@testing-library/svelte';
import { tick } from 'svelte';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { closeBlock, openBlock } from '$ui/domain/block/block-request.svelte';
import { closeContain, openContain } from '$ui/domain/contain/contain-request.svelte';
import { closeEvents, openEvents } from '$ui/domain/event/events-request.svelte';
import { closeSuppress, openSuppress } from '$ui/domain/suppress/suppress-request.svelte';
import { demoPlatform } from '$ui/platform/demo/index';
import { dialogs, panels } from '$ui/shell/panels';
import { App } from '$ui/state/app.svelte';
import { prefs } from '$ui/state/prefs.svelte';
import { PANELS, parseRoute, router } from '$ui/state/router.svelte';
import { hook } from '$ui/test-hook';
import Shell from './app.svelte';
import model from './generated/model.ts?raw';

/** Turns what follows around, and hides. */
const HOSTILE = '\u202e\u200b';

/** Words that the model knows: they choose what is drawn and are no text. */
const WORDS = new Set([...model.matchAll(/"([^"\n]*)"/g)].map((found) => found[1] ?? ''));

/** Names by which our own code finds its way; the backend makes them up, nobody else. */
const OURS: ReadonlySet<string> = new Set(['name', 'unit', 'next', 'undo']);

function poisoned(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map((one) => poisoned(one, key));
  if (typeof value === 'object' && value !== null) {
    // The titles of figures, metrics, facts and steps are texts of the backend's own.
    const titled = 'unit' in value || 'text' in value || 'hint' in value;
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, titled && name === 'title' ? one : poisoned(one, name)]));
  }
  if (typeof value !== 'string' || value === '' || OURS.has(key) || WORDS.has(value)) return value;
  return /^\d{4}-\d\d-\d\dT/.test(value) ? value : `${value}${HOSTILE}`;
}

let pending = 0;
let app: App;

async function answered(): Promise<void> {
  await waitFor(() => expect(pending).toBe(0));
  await tick();
}

async function open(place: string): Promise<void> {
  const route = parseRoute(place);
  router.replace(route.panel, route.detail, route.query);
  const platform = demoPlatform(new URLSearchParams('job'));
  pending = 0;
  const call = platform.call.bind(platform);
  platform.call = async (...asked) => {
    pending += 1;
    try {
      return poisoned(await call(...asked)) as Awaited<ReturnType<typeof call>> as never;
    } finally {
      pending -= 1;
    }
  };
  app = new App(platform);
  await Promise.all([panels[route.panel].view, ...Object.values(dialogs)].map((part) => part.load()));
  await app.live.look();
  render(Shell, { app });
  await waitFor(() => hook('panel-title'));
  await answered();
}

/** Where hostile text stands as it came: the place and its begin. */
function raw(): string[] {
  const found = new Set<string>();
  const place = (element: Element | null): string => {
    const hooks: string[] = [];
    for (let at = element; at !== null && hooks.length < 2; at = at.parentElement) if (at instanceof HTMLElement && at.dataset['test'] !== undefined) hooks.unshift(at.dataset['test']);
    return `${hooks.join(' > ')} ${element?.tagName.toLowerCase() ?? ''}.${element?.className ?? ''}`.replace(/ ?svelte-\w+/g, '');
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    if (/[\u202e\u200b]/.test(node.textContent ?? '') && node.parentElement?.tagName !== 'TEXTAREA') found.add(`${place(node.parentElement)}: ${node.textContent?.slice(0, 50) ?? ''}`);
  }
  for (const element of document.body.querySelectorAll('[title], [aria-label], [placeholder]')) {
    for (const name of ['title', 'aria-label', 'placeholder']) {
      if (/[\u202e\u200b]/.test(element.getAttribute(name) ?? '')) found.add(`${place(element)} @${name}: ${element.getAttribute(name)?.slice(0, 50) ?? ''}`);
    }
  }
  return [...found].map((line) => line.replace(/[\u202e\u200b]/g, '¿'));
}

async function click(name: string): Promise<void> {
  await waitFor(() => hook(name));
  await fireEvent.click(hook(name));
  await answered();
}

/** Presses everything on screen with a hook. */
async function clickAll(name: string): Promise<void> {
  await waitFor(() => hook(name));
  for (const element of document.querySelectorAll(`[data-test="${name}"]`)) await fireEvent.click(element);
  await answered();
}

beforeEach(() => localStorage.clear());
afterEach(() => {
  closeBlock();
  closeContain();
  closeEvents();
  closeSuppress();
});

const subject = { target: `203.0.113.7${HOSTILE}`, incident: 42 };

describe('hostile text', { timeout: 30_000 }, () => {
  it('is found where it stands as it came', async () => {
    await open('overview');
    const planted = document.body.appendChild(document.createElement('p'));
    planted.textContent = `a${HOSTILE}`;
    planted.title = `b${HOSTILE}`;
    const found = raw();
    planted.remove();
    expect(found.filter((line) => line.includes('a¿¿') || line.includes('b¿¿'))).toHaveLength(2);
    expect(document.body.textContent, 'the answers are hostile').toContain('\\u{202e}');
  });

  it.each<[string, (() => Promise<unknown>) | undefined]>([
    ...PANELS.map((panel): [string, undefined] => [panel, undefined]),
    ['entities/ip:203.0.113.7', undefined],
    ...['why', 'evidence', 'timeline', 'playbook', 'notes', 'entities', 'related'].map((tab): [string, () => Promise<void>] => [`incidents/42?tab=${tab}`, () => click(`incident-tab-${tab}`)]),
    ['incidents/42?view=evidence', async () => {
      await click('incident-tab-evidence');
      await clickAll('evidence-row');
    }],
    ['rules/wp.brute.source', undefined],
    ['rules/wp.brute.source?tab=text', () => click('rule-tab-text')],
    ['rules/wp.brute.source?tab=samples', async () => {
      await click('rule-tab-samples');
      await click('rule-test');
    }],
    ['rules?tab=suppressions', undefined],
    ['rules?tab=problems', undefined],
    ['rules?tab=bench', async () => {
      await click('bench-example-sqli');
    }],
    ['events?x=1', () => click('event-row')],
    ...['contained', 'automatic', 'expired', 'removed', 'allowlist'].map((tab): [string, () => Promise<void>] => [`blocklist?tab=${tab}`, () => click(`blocks-tab-${tab}`)]),
    ['audit?x=1', async () => {
      await click('audit-verify');
      prefs.trust = 'open';
      await click('audit-checkpoint-show');
      await click('audit-row');
    }],
    ['reports?x=1', async () => {
      await click('report-preview');
      await waitFor(() => hook('report-control'));
      for (const line of document.querySelectorAll('[data-test=report-control] > button')) await fireEvent.click(line);
    }],
    ['reports?x=2', async () => {
      await click('reports-tab-history');
      for (const line of document.querySelectorAll('[data-test=report-row] button')) await fireEvent.click(line);
      await answered();
    }],
    ['reports?x=3', () => click('reports-tab-schedules')],
    ['maintenance?x=1', async () => {
      await waitFor(() => hook('job-row'));
      for (const button of document.querySelectorAll<HTMLButtonElement>('[data-test=job-row] button:not(:disabled)')) await fireEvent.click(button);
      for (const toggle of document.querySelectorAll('section.job > .head h2 button')) await fireEvent.click(toggle);
      await click('cleanup-preview');
    }],
    ['redis?x=1', async () => {
      for (const button of document.querySelectorAll('[data-test=metric] button')) await fireEvent.click(button);
    }],
    ['baselines?x=1', () => click('baseline-compare')],
    ['settings?x=1', () => click('threat-show')],
    ['settings?x=2', () => click('connection-edit')],
    ['settings?x=3', async () => {
      await click('policy-preview');
      await fireEvent.input(hook('threat-ask'), { target: { value: '203.0.113.7' } });
      await fireEvent.submit(hook('threat-ask').closest('form') ?? document.body);
    }],
    ['overview?x=1', async () => {
      openEvents({ title: 'Failed logins', period: null });
      await click('event-row');
    }],
    ['blocklist?x=1', async () => openBlock(subject)],
    ['blocklist?x=2', async () => openContain({ kind: 'user', ...subject })],
    ['rules?x=1', async () => openSuppress({ rules: [`r${HOSTILE}`], family: 'brute_force', entity: { kind: 'ip', value: subject.target }, incident: 42 })],
  ])('is shown for what it is in %s', async (place, act) => {
    await open(place);
    await act?.();
    // A preview is looked up after a pause in typing.
    if (document.querySelector('dialog[open]') !== null) await waitFor(() => expect(pending).toBe(0));
    await answered();
    expect(raw()).toEqual([]);
  });
});
