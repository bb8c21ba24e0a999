// Every key that `?` shows is pressed in the whole window, and every key that the code hears is shown.

import { fireEvent, render, waitFor } from '@testing-library/svelte';
import { tick } from 'svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import Shell from '../app.svelte';
import { demoPlatform } from '$ui/platform/demo/index';
import type { FakePlatform } from '$ui/platform/fake';
import { App } from '$ui/state/app.svelte';
import { period } from '$ui/state/period.svelte';
import { prefs } from '$ui/state/prefs.svelte';
import { parseRoute, PANELS, router } from '$ui/state/router.svelte';
import { hook, requests, type } from '$ui/test-hook';
import { closeBlock } from '$ui/domain/block/block-request.svelte';
import { closeSuppress } from '$ui/domain/suppress/suppress-request.svelte';
import { keyGroups } from './key-list';
import { overlays } from './overlays.svelte';
import { dialogs, panels } from './panels';

/** As the browser calls what the list shows. */
const NAMES: Readonly<Record<string, string>> = { Esc: 'Escape', '↓': 'ArrowDown', '↑': 'ArrowUp', '←': 'ArrowLeft', '→': 'ArrowRight', PgUp: 'PageUp', PgDn: 'PageDown', Del: 'Delete' };

let platform: FakePlatform;
let app: App;

async function open(place: string, shown: string): Promise<void> {
  const route = parseRoute(place);
  router.replace(route.panel, route.detail, route.query);
  platform = demoPlatform(new URLSearchParams());
  const status = platform.answers.workspace_status;
  // Not a production workspace: the confirmation has its own test.
  platform.answers.workspace_status = async () => {
    const made = await status?.({});
    if (made?.connection === undefined || made.connection === null) throw new Error('the demo has a connection');
    return { ...made, connection: { ...made.connection, production: false } };
  };
  app = new App(platform);
  await Promise.all([panels[route.panel].view, ...Object.values(dialogs)].map((part) => part.load()));
  await app.live.look();
  render(Shell, { app });
  await waitFor(() => hook(shown));
  // A key that is pressed while a dialog is still there is the dialog's.
  await waitFor(() => expect(document.querySelector('dialog[open]')?.outerHTML ?? '').toBe(''));
  await tick();
}

function press(key: string, target: Element = document.body, more: KeyboardEventInit = {}): Promise<boolean> {
  return fireEvent.keyDown(target, { key: NAMES[key] ?? key, ...more });
}

function grid(): HTMLElement {
  const found = document.querySelector<HTMLElement>('main [role=grid]');
  if (found === null) throw new Error('no list on screen');
  return found;
}

/** Place of the active row, which need not be drawn: the test's browser does not scroll. */
function active(): number {
  return Number(grid().getAttribute('aria-activedescendant')?.split('-').at(-1) ?? -1);
}

async function chart(name: string): Promise<HTMLElement> {
  return await waitFor(() => {
    const found = hook(name).querySelector<HTMLElement>('[role=img][tabindex="0"]');
    if (found === null) throw new Error(`${name} is not drawn`);
    return found;
  });
}

const QUEUE = ['incidents', 'incident-row'] as const;
/** The first incident of the queue, which is an active one. */
const ONE = 'one';
let number = 0;

async function openOne(): Promise<void> {
  await open(...QUEUE);
  await press('j', grid());
  await press('Enter', grid());
  await waitFor(() => hook('incident-title'));
  number = Number(hook('incident-page').dataset['number']);
}

/** A move in the list from its third row, and where it leads. */
function moves(to: (last: number) => number): Proof {
  return {
    at: QUEUE,
    works: async (key) => {
      for (let row = 0; row < 3; row += 1) await press('j', grid());
      expect(active()).toBe(2);
      await press(key, grid());
      expect(active()).toBe(to(loaded() - 1));
    },
  };
}

function loaded(): number {
  return Number(hook('incidents-total').dataset['value']);
}

/** A key of an incident that is open, and what is on screen then. */
function shows(name: string): Proof {
  return {
    at: ONE,
    works: async (key) => {
      await press(key);
      await waitFor(() => hook(name));
    },
  };
}

interface Proof {
  at: readonly [place: string, shown: string] | typeof ONE;
  works: (key: string) => Promise<void>;
}

const PROOFS: Readonly<Record<string, Proof>> = {
  palette: {
    at: QUEUE,
    works: async () => {
      await press('k', document.body, { ctrlKey: true });
      await waitFor(() => hook('palette-input'));
    },
  },
  help: {
    at: QUEUE,
    works: async (key) => {
      await press(key);
      await waitFor(() => expect(hook('keys-dialog').textContent).toContain('Go to Settings'));
    },
  },
  close: {
    at: ONE,
    works: async (key) => {
      await press(key);
      expect(router.current.detail).toBeNull();
    },
  },
  send: {
    at: ONE,
    works: async () => {
      await press('n');
      await waitFor(() => hook('note-text'));
      await type('note-text', 'Looked at');
      await press('Enter', hook('note-text'), { ctrlKey: true });
      await waitFor(() => expect(requests(platform, 'incident_note')).toEqual([{ number, text: 'Looked at' }]));
    },
  },
  rail: {
    at: QUEUE,
    works: async (key) => {
      const before = prefs.rail;
      await press(key);
      expect(prefs.rail).not.toBe(before);
      prefs.rail = before;
    },
  },
  refresh: {
    at: QUEUE,
    works: async (key) => {
      const before = requests(platform, 'incident_page').length;
      await press(key);
      await waitFor(() => expect(requests(platform, 'incident_page').length).toBeGreaterThan(before));
    },
  },
  lock: {
    at: QUEUE,
    works: async () => {
      await press('l', document.body, { ctrlKey: true });
      await waitFor(() => hook('lock-screen'));
      expect(document.querySelector('[data-test=incident-row]'), 'nothing is beneath').toBeNull();
    },
  },
  print: {
    at: QUEUE,
    works: async () => {
      const print = vi.fn();
      vi.stubGlobal('print', print);
      await press('p', document.body, { ctrlKey: true });
      vi.unstubAllGlobals();
      expect(print).toHaveBeenCalledOnce();
    },
  },
  zoom: {
    at: QUEUE,
    works: async (key) => {
      prefs.zoomBy(0);
      if (key === 'Ctrl 0') prefs.zoomBy(1);
      await tick();
      await press(key.slice(-1), document.body, { ctrlKey: true });
      const size = { '+': 1.1, '-': 0.9, '0': 1 }[key.slice(-1)];
      expect(prefs.zoom).toBe(size);
      await waitFor(() => expect(platform.zooms.at(-1)).toBe(size));
      prefs.zoomBy(0);
    },
  },
  window: {
    at: QUEUE,
    works: async (key) => {
      await press(key);
      await waitFor(() => expect(platform.windows).toEqual(['incidents']));
    },
  },
  aside: {
    at: ONE,
    works: async (key) => {
      await press(key);
      await waitFor(() => expect(platform.windows).toEqual([`incidents/${number}?view=full`]));
    },
  },
  ...Object.fromEntries(
    PANELS.map((panel): [string, Proof] => [
      `go-${panel}`,
      {
        at: [panel === 'audit' ? 'settings' : 'audit', 'panel-title'],
        works: async () => {
          await press('g');
          await press(panels[panel].key);
          expect(router.current.panel).toBe(panel);
        },
      },
    ]),
  ),
  next: moves(() => 3),
  previous: moves(() => 1),
  page: {
    at: QUEUE,
    works: async (key) => {
      for (let row = 0; row < 16; row += 1) await press('j', grid());
      expect(active()).toBe(15);
      await press(key, grid());
      expect(Math.abs(active() - 15), 'a page is more than a row').toBeGreaterThan(5);
    },
  },
  ends: {
    at: QUEUE,
    works: async (key) => {
      for (let row = 0; row < 3; row += 1) await press('j', grid());
      await press(key, grid());
      expect(active() === 0 ? 'Home' : active() === loaded() - 1 ? 'End' : active()).toBe(key);
    },
  },
  last: moves((last) => last),
  open: {
    at: QUEUE,
    works: async (key) => {
      await press('j', grid());
      await press(key, grid());
      await waitFor(() => hook('incident-title'));
    },
  },
  filter: {
    at: QUEUE,
    works: async (key) => {
      await press(key);
      expect(document.activeElement).toBe(hook('incident-search'));
    },
  },
  complete: {
    at: ['events', 'event-search'],
    works: async (key) => {
      await waitFor(() => expect(requests(platform, 'event_query').length).toBeGreaterThan(0));
      const box = hook<HTMLInputElement>('event-search');
      await fireEvent.input(box, { target: { value: 'sever' } });
      box.setSelectionRange(5, 5);
      await fireEvent.input(box);
      await waitFor(() => hook('event-suggestion'));
      await press(key, box);
      expect(box.value).toBe('severity:');
    },
  },
  unblock: {
    at: ['blocklist', 'block-row'],
    works: async (key) => {
      await press('j', grid());
      await press(key, grid());
      await waitFor(() => hook('unblock-reason'));
    },
  },
  take: {
    at: ONE,
    works: async (key) => {
      await press(key);
      await waitFor(() => expect(requests(platform, 'incident_take')).toEqual([{ number }]));
    },
  },
  assign: shows('assign-name'),
  resolve: shows('resolve-reason'),
  'false-positive': {
    at: ONE,
    works: async (key) => {
      await press(key);
      await waitFor(() => expect(hook<HTMLInputElement>('verdict-false_positive').checked).toBe(true));
    },
  },
  note: shows('note-text'),
  block: shows('block-target'),
  escalate: shows('escalate-text'),
  merge: shows('merge-reason'),
  suppress: shows('suppress-reason'),
  select: {
    at: ONE,
    works: async (key) => {
      await press(key);
      await waitFor(() => expect(hook('bulk-count').dataset['value']).toBe('1'));
    },
  },
  undo: {
    at: QUEUE,
    works: async (key) => {
      await press('j', grid());
      await press('x');
      await press('t');
      await waitFor(() => hook('bulk-undo'));
      await press(key);
      await waitFor(() => expect(requests(platform, 'incident_undo')).toHaveLength(1));
    },
  },
  verdict: {
    at: ONE,
    works: async (key) => {
      await press('r');
      await waitFor(() => hook('resolve-reason'));
      await press(key);
      const choices = [...document.querySelectorAll<HTMLInputElement>('[data-test^=verdict-]')];
      expect(choices.findIndex((choice) => choice.checked)).toBe(Number(key) - 1);
    },
  },
  cause: {
    at: ONE,
    works: async (key) => {
      await press('r');
      await waitFor(() => hook('resolve-reason'));
      // The verdict with the most causes, so that each letter has one.
      await press('3');
      await press(key);
      const choices = [...document.querySelectorAll<HTMLInputElement>('[data-test^=cause-]')];
      const index = 'asdfgh'.indexOf(key);
      expect([choices.length, choices.findIndex((choice) => choice.checked)]).toEqual([6, index]);
    },
  },
  read: {
    at: ['overview', 'overview'],
    works: async (key) => {
      const canvas = await chart('chart-events');
      await press(key, canvas);
      await waitFor(() => expect(hook('chart-events').querySelector('[aria-live]')?.textContent).toMatch(/\d{4}-\d\d-\d\d/));
    },
  },
  narrow: {
    at: ['events', 'events-histogram'],
    works: async (key) => {
      const canvas = await chart('events-histogram');
      await press('→', canvas);
      await press(key, canvas);
      expect(period.preset).toBe('custom');
    },
  },
};

beforeEach(() => {
  localStorage.clear();
  period.preset = '24h';
});
afterEach(() => {
  overlays.close();
  closeBlock();
  closeSuppress();
});

const ENTRIES = keyGroups().flatMap((group) => group.keys);
const PRESSES = ENTRIES.flatMap((entry) => (entry.or === true ? entry.keys : [entry.keys.join(' ')]).map((key): [string, string] => [key, entry.id]));

describe('the list of keys', { timeout: 20_000 }, () => {
  it('has a name for each entry, and a proof', () => {
    expect(new Set(ENTRIES.map((entry) => entry.id)).size).toBe(ENTRIES.length);
    expect(Object.keys(PROOFS).toSorted()).toEqual(ENTRIES.map((entry) => entry.id).toSorted());
  });

  it.each(PRESSES)('%s does what it says (%s)', async (key, id) => {
    const proof = PROOFS[id];
    if (proof === undefined) throw new Error(`no proof of ${id}`);
    await (proof.at === ONE ? openOne() : open(...proof.at));
    await proof.works(key);
  });

  it('holds every key that the window hears', () => {
    const files = import.meta.glob<string>(['../{domain,shared,shell,views}/**/*.ts', '../{domain,shared,shell,views}/**/*.svelte', '!../**/*.test.ts'], { query: '?raw', import: 'default', eager: true });
    const code = Object.values(files).join('\n');
    const heard = new Set([
      ...[...code.matchAll(/\bkey(?:\.toLowerCase\(\))? [!=]== '([^']+)'/g)].map((found) => found[1] ?? ''),
      ...[...code.matchAll(/case '([A-Za-z?[]|Arrow\w+|Page\w+|Home|End)':/g)].map((found) => found[1] ?? ''),
      ...[...code.matchAll(/(Arrow\w+|Home|End): /g)].map((found) => found[1] ?? ''),
    ]);
    expect(heard.size, 'the patterns find what they are for').toBeGreaterThan(25);
    const shown = new Set(ENTRIES.flatMap((entry) => entry.keys).map((key) => (NAMES[key] ?? key).toLowerCase()));
    const keys = [...heard].filter((key) => /^(?:.|Enter|Escape|Tab|Delete|Arrow\w+|Page\w+|Home|End)$/.test(key));
    expect(keys.filter((key) => !shown.has(key.toLowerCase()))).toEqual([]);
  });
});
