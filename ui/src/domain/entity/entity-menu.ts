// What can be done from any place where an entity is named.

import type { Entity, EntityKind } from '$ui/generated/model';
import { t } from '$ui/i18n';
import type { MenuItem } from '$ui/shared/layout/menu';
import type { App } from '$ui/state/app.svelte';
import { router } from '$ui/state/router.svelte';
import { openBlock } from '../block/block-request.svelte';
import { openContain } from '../contain/contain-request.svelte';
import { openSuppress } from '../suppress/suppress-request.svelte';

const KINDS: readonly EntityKind[] = ['ip', 'user', 'session', 'endpoint'];

/** An entity as it stands in an address: `ip:203.0.113.7`. */
export function entityKey(entity: Entity): string {
  return `${entity.kind}:${entity.value}`;
}

export function parseEntityKey(key: string | null): Entity | null {
  if (key === null) return null;
  const at = key.indexOf(':');
  const kind = KINDS.find((known) => known === key.slice(0, at));
  const value = key.slice(at + 1);
  return kind === undefined || value === '' ? null : { kind, value };
}

export function entityMenu(app: App, entity: Entity, incident: number | null): MenuItem[] {
  const { kind, value } = entity;
  const items: MenuItem[] = [
    { label: t('entity.show'), run: () => router.go('incidents', null, { entity: entityKey(entity) }) },
    { label: t('entity.events'), run: () => router.go('events', null, { entity: entityKey(entity) }) },
    { label: t('entity.copy'), run: () => void app.copy(value) },
  ];
  if (kind === 'ip') {
    items.push({ label: t('entity.block'), danger: true, hook: 'entity-block', disabled: !app.may('block_add'), run: () => openBlock({ target: value, incident }) });
    items.push({ label: t('entity.limit'), danger: true, disabled: !app.may('contain_add'), run: () => openContain({ kind: 'limit', target: value, incident }) });
  }
  if (kind === 'user' || kind === 'session') {
    items.push({ label: t(kind === 'user' ? 'entity.restrict' : 'entity.revoke'), danger: true, hook: 'entity-contain', disabled: !app.may('contain_add'), run: () => openContain({ kind, target: value, incident }) });
  }
  items.push({ label: t('entity.suppress'), disabled: !app.may('suppression_add'), run: () => openSuppress({ rules: [], family: null, entity, incident: null }) });
  return items;
}
