// What keeps everything in the window from being new.

import { t } from '$ui/i18n';
import type { App } from '$ui/state/app.svelte';

/** Why, and since when it is as it is (Unix milliseconds; `null` if it never was); `null` when nothing ails. */
export function outage(app: App): { why: string; since: number | null } | null {
  const { status, error, heardAt } = app.live;
  if (error !== null) return status === undefined ? null : { why: t('state.stale.silent'), since: heardAt };
  if (status?.redis?.state === 'down') return { why: t('state.stale.redis'), since: millis(status.redis.last_ok) };
  if (status?.database?.state === 'down') return { why: t('state.stale.database'), since: millis(status.database.last_ok) };
  return null;
}

function millis(at: string | null): number | null {
  return at === null ? null : Date.parse(at);
}
