// The keys that there are, as `?` shows them. A test presses each of them, and looks in the code for one that is not here.

import { CAUSE_KEYS } from '$ui/domain/incident/causes';
import { t } from '$ui/i18n';
import { PANELS } from '$ui/state/router.svelte';
import { panels } from './panels';

export interface KeyEntry {
  /** Names the entry, for tests. */
  id: string;
  /** Pressed together or one after the other; of an entry with `or`, any of them. */
  keys: readonly string[];
  or?: boolean;
  about: string;
}

export interface KeyGroup {
  title: string;
  keys: readonly KeyEntry[];
}

export function keyGroups(): KeyGroup[] {
  return [
    {
      title: t('keys.everywhere'),
      keys: [
        { id: 'palette', keys: ['Ctrl', 'K'], about: t('keys.palette') },
        { id: 'help', keys: ['?'], about: t('keys.help') },
        { id: 'close', keys: ['Esc'], about: t('keys.close') },
        { id: 'send', keys: ['Ctrl', 'Enter'], about: t('keys.send') },
        { id: 'rail', keys: ['['], about: t('keys.rail') },
        { id: 'refresh', keys: ['R'], about: t('keys.refresh') },
        { id: 'print', keys: ['Ctrl', 'P'], about: t('keys.print') },
        { id: 'lock', keys: ['Ctrl', 'L'], about: t('keys.lock') },
        { id: 'zoom', keys: ['Ctrl +', 'Ctrl -', 'Ctrl 0'], or: true, about: t('keys.zoom') },
        { id: 'window', keys: ['W'], about: t('keys.window') },
        ...PANELS.map((panel) => ({ id: `go-${panel}`, keys: ['g', panels[panel].key], about: t('keys.go', { panel: t(`nav.${panel}`) }) })),
      ],
    },
    {
      title: t('keys.chart'),
      keys: [
        { id: 'read', keys: ['←', '→'], or: true, about: t('keys.read') },
        { id: 'narrow', keys: ['Enter'], about: t('keys.narrow') },
      ],
    },
    {
      title: t('keys.list'),
      keys: [
        { id: 'next', keys: ['j', '↓'], or: true, about: t('keys.next') },
        { id: 'previous', keys: ['k', '↑'], or: true, about: t('keys.previous') },
        { id: 'page', keys: ['PgUp', 'PgDn'], or: true, about: t('keys.page') },
        { id: 'ends', keys: ['Home', 'End'], or: true, about: t('keys.first') },
        { id: 'last', keys: ['G'], about: t('keys.last') },
        { id: 'open', keys: ['Enter'], about: t('keys.open') },
        { id: 'filter', keys: ['/'], about: t('keys.filter') },
        { id: 'complete', keys: ['Tab'], about: t('keys.complete') },
        { id: 'unblock', keys: ['u', 'Del'], or: true, about: t('keys.unblock') },
      ],
    },
    {
      title: t('keys.incident'),
      keys: [
        { id: 'take', keys: ['t'], about: t('incident.take') },
        { id: 'assign', keys: ['a'], about: t('incident.assign') },
        { id: 'resolve', keys: ['r'], about: t('incident.resolve') },
        { id: 'false-positive', keys: ['f'], about: t('incident.false_positive.about') },
        { id: 'note', keys: ['n'], about: t('incident.note') },
        { id: 'block', keys: ['b'], about: t('incident.block') },
        { id: 'escalate', keys: ['e'], about: t('keys.escalate') },
        { id: 'merge', keys: ['m'], about: t('keys.merge') },
        { id: 'suppress', keys: ['s'], about: t('keys.suppress') },
        { id: 'aside', keys: ['w'], about: t('incident.window') },
        { id: 'select', keys: ['x'], about: t('keys.select') },
        { id: 'undo', keys: ['u'], about: t('keys.undo') },
        { id: 'verdict', keys: ['1', '2', '3', '4'], or: true, about: t('keys.verdict') },
        { id: 'cause', keys: CAUSE_KEYS, or: true, about: t('keys.cause') },
      ],
    },
  ];
}
