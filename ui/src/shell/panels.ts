// The panels: their icon, their key after `g`, and what draws them; and the dialogs that any of them opens.

import type { Component } from 'svelte';
import Activity from '@lucide/svelte/icons/activity';
import Ban from '@lucide/svelte/icons/ban';
import Database from '@lucide/svelte/icons/database';
import FileText from '@lucide/svelte/icons/file-text';
import Fingerprint from '@lucide/svelte/icons/fingerprint';
import LayoutDashboard from '@lucide/svelte/icons/layout-dashboard';
import ScrollText from '@lucide/svelte/icons/scroll-text';
import ListTree from '@lucide/svelte/icons/list-tree';
import Radar from '@lucide/svelte/icons/radar';
import Settings from '@lucide/svelte/icons/settings';
import ShieldAlert from '@lucide/svelte/icons/shield-alert';
import Wrench from '@lucide/svelte/icons/wrench';
import type { Panel } from '$ui/state/router.svelte';
import { Lazy } from './lazy.svelte';

export interface PanelSpec {
  icon: Component;
  /** Pressed after `g`. */
  key: string;
  view: Lazy;
  /** Below the others, apart. */
  low?: boolean;
  /** Works without an open connection. */
  always?: boolean;
}

export const panels: Readonly<Record<Panel, PanelSpec>> = {
  overview: { icon: LayoutDashboard, key: 'o', view: new Lazy(() => import('$ui/views/overview/overview-view.svelte')) },
  incidents: { icon: ShieldAlert, key: 'i', view: new Lazy(() => import('$ui/views/incidents/incidents-view.svelte')) },
  events: { icon: ListTree, key: 'e', view: new Lazy(() => import('$ui/views/events/events-view.svelte')) },
  entities: { icon: Fingerprint, key: 'n', view: new Lazy(() => import('$ui/views/entities/entities-view.svelte')) },
  blocklist: { icon: Ban, key: 'b', view: new Lazy(() => import('$ui/views/blocklist/blocklist-view.svelte')) },
  rules: { icon: Radar, key: 'u', view: new Lazy(() => import('$ui/views/rules/rules-view.svelte')) },
  baselines: { icon: Activity, key: 'l', view: new Lazy(() => import('$ui/views/baselines/baselines-view.svelte')) },
  redis: { icon: Database, key: 'h', view: new Lazy(() => import('$ui/views/redis/redis-view.svelte')) },
  maintenance: { icon: Wrench, key: 'm', view: new Lazy(() => import('$ui/views/maintenance/maintenance-view.svelte')) },
  reports: { icon: FileText, key: 'r', view: new Lazy(() => import('$ui/views/reports/reports-view.svelte')) },
  audit: { icon: ScrollText, key: 'a', view: new Lazy(() => import('$ui/views/audit/audit-view.svelte')) },
  settings: { icon: Settings, key: 's', view: new Lazy(() => import('$ui/views/settings/settings-view.svelte')), low: true, always: true },
};

/** Drawn over whichever panel asked for them. */
export const dialogs = {
  events: new Lazy(() => import('$ui/domain/event/events-drawer.svelte')),
  block: new Lazy(() => import('$ui/domain/block/block-dialog.svelte')),
  contain: new Lazy(() => import('$ui/domain/contain/contain-dialog.svelte')),
  suppress: new Lazy(() => import('$ui/domain/suppress/suppress-dialog.svelte')),
};

/** Everything that is fetched after the first paint, what a key opens first. */
export function laterParts(): Lazy[] {
  return [panels.incidents.view, dialogs.events, dialogs.block, ...Object.values(dialogs), ...Object.values(panels).map((spec) => spec.view)];
}
