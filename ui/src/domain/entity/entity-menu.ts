// What can be done from any place where an entity is named.

import type { BlockStanding, Entity } from '$ui/generated/model';
import { t } from '$ui/i18n';
import type { MenuItem } from '$ui/shared/layout/menu';
import type { App } from '$ui/state/app.svelte';
import { router } from '$ui/state/router.svelte';
import { isExtended, openBlock, openUnblock } from '../block/block-request.svelte';
import { openContain } from '../contain/contain-request.svelte';
import { entityTerm, narrowed } from '../event/query';
import { searched } from '../event/searched.svelte';
import { openSuppress } from '../suppress/suppress-request.svelte';
import { entityKey } from './key';

export { entityKey, parseEntityKey } from './key';

/** In the Events panel the search that is there is narrowed; elsewhere that which was there last. */
function searchItems(entity: Entity): MenuItem[] {
  const narrow = (out: boolean): void => router.go('events', null, { q: narrowed(searched.query, entityTerm(entity), out) });
  return [
    { label: t('entity.filter_for'), hook: 'entity-filter-for', run: () => narrow(false) },
    { label: t('entity.filter_out'), hook: 'entity-filter-out', run: () => narrow(true) },
  ];
}

/** `standing` is how an address stands, once that is known. */
export function entityMenu(app: App, entity: Entity, incident: number | null, standing: BlockStanding | null = null): MenuItem[] {
  const { kind, value } = entity;
  const items: MenuItem[] = [
    { label: t('entity.show'), run: () => router.go('incidents', null, { entity: entityKey(entity) }) },
    { label: t('entity.events'), run: () => router.go('events', null, { q: entityTerm(entity) }) },
    ...searchItems(entity),
    { label: t('entity.copy'), run: () => void app.copy(value) },
  ];
  if (kind === 'ip') {
    items.push({ label: t(isExtended(standing) ? 'entity.block.extend' : 'entity.block'), danger: true, hook: 'entity-block', disabled: !app.may('block_add'), run: () => openBlock({ target: value, incident }) });
    items.push({ label: t('entity.limit'), danger: true, disabled: !app.may('contain_add'), run: () => openContain({ kind: 'limit', target: value, incident }) });
  }
  if (kind === 'user' || kind === 'session') {
    items.push({ label: t(kind === 'user' ? 'entity.restrict' : 'entity.revoke'), danger: true, hook: 'entity-contain', disabled: !app.may('contain_add'), run: () => openContain({ kind, target: value, incident }) });
  }
  items.push({ label: t('entity.suppress'), disabled: !app.may('suppression_add'), run: () => openSuppress({ rules: [], family: null, entity, incident: null }) });
  // Last: what stands above it does not move when it is known.
  const held = standing?.block ?? null;
  if (held !== null) items.push({ label: t('entity.unblock'), hook: 'entity-unblock', disabled: !app.may('block_remove'), run: () => openUnblock(held) });
  return items;
}
