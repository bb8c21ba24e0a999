// The panels: their icon, their key after `g`, and where they are drawn.

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
import AuditView from '$ui/views/audit/audit-view.svelte';
import BaselinesView from '$ui/views/baselines/baselines-view.svelte';
import BlocklistView from '$ui/views/blocklist/blocklist-view.svelte';
import EntitiesView from '$ui/views/entities/entities-view.svelte';
import EventsView from '$ui/views/events/events-view.svelte';
import IncidentsView from '$ui/views/incidents/incidents-view.svelte';
import MaintenanceView from '$ui/views/maintenance/maintenance-view.svelte';
import OverviewView from '$ui/views/overview/overview-view.svelte';
import RedisView from '$ui/views/redis/redis-view.svelte';
import ReportsView from '$ui/views/reports/reports-view.svelte';
import RulesView from '$ui/views/rules/rules-view.svelte';
import SettingsView from '$ui/views/settings/settings-view.svelte';

export interface PanelSpec {
  icon: Component;
  /** Pressed after `g`. */
  key: string;
  view: Component;
  /** Below the others, apart. */
  low?: boolean;
  /** Works without an open connection. */
  always?: boolean;
}

export const panels: Readonly<Record<Panel, PanelSpec>> = {
  overview: { icon: LayoutDashboard, key: 'o', view: OverviewView },
  incidents: { icon: ShieldAlert, key: 'i', view: IncidentsView },
  events: { icon: ListTree, key: 'e', view: EventsView },
  entities: { icon: Fingerprint, key: 'n', view: EntitiesView },
  blocklist: { icon: Ban, key: 'b', view: BlocklistView },
  rules: { icon: Radar, key: 'u', view: RulesView },
  baselines: { icon: Activity, key: 'l', view: BaselinesView },
  redis: { icon: Database, key: 'h', view: RedisView },
  maintenance: { icon: Wrench, key: 'm', view: MaintenanceView },
  reports: { icon: FileText, key: 'r', view: ReportsView },
  audit: { icon: ScrollText, key: 'a', view: AuditView },
  settings: { icon: Settings, key: 's', view: SettingsView, low: true, always: true },
};
