// The cards of the settings, as they stand: the workspace and what leaves it, its defence, then this person and this machine.

import { t } from '$ui/i18n';
import type { App } from '$ui/state/app.svelte';

/** What the cards are called, in their order. */
export function settingsSections(app: App): string[] {
  const { status } = app.live;
  const open = status === undefined || status.connection !== null;
  return [
    t('connections.title'),
    t('settings.workspace'),
    ...(open ? [t('lines.title'), t('sealing.title'), t('records.title'), t('privacy.title'), t('roles.title'), t('approval.title'), t('policy.title'), t('outbox.title'), t('context.title')] : []),
    ...(status === undefined ? [] : [t('settings.you')]),
    t('settings.appearance'),
    ...(status === undefined ? [] : [t('settings.keychain')]),
    ...(app.platform.kind === 'http' ? [] : [t('lock.settings')]),
    ...(status === undefined ? [] : [t('settings.about')]),
  ];
}
