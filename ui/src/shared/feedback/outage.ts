// What keeps everything in the window from being new.

import { t } from '$ui/i18n';
import type { App } from '$ui/state/app.svelte';

/** Why, and since when it is as it is (Unix milliseconds; `null` if it never was); `null` when nothing ails. */
export function outage(app: App): { why: string; since: number | null } | null {
  const { status, error, heardAt, outage: down } = app.live;
  if (error !== null) return status === undefined ? null : { why: t('state.stale.silent'), since: heardAt };
  return down === null ? null : { why: t(`state.stale.${down.part}`), since: down.since };
}
