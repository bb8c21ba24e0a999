// What the trail of the demo is worth.

import type { AuditPlaces, AuditTrust } from '$ui/generated/model';

export const AUDIT_ROOT = 'sZRqySSS0jR8YjW00mERhLGUasklEtI0fGI1tNJhEYQ=';
export const AUDIT_KEY = 'watchpost/7f3a90c1+f4960a46+AZyR1m0c3rJmQdT0m5kVQbX5n8hQv7sJ3mCw2iE9uKdP';

export function auditTrust(places: AuditPlaces, keyDays: number): AuditTrust {
  const at = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString();
  const held = [
    ...places.folders.map((name) => ({ kind: 'folder' as const, name, ok: true, counts: true, size: 4_806, detail: '' })),
    ...(places.redis ? [{ kind: 'redis' as const, name: '', ok: true, counts: true, size: 4_806, detail: '' }] : []),
    ...(places.webhook === undefined
      ? []
      : [{ kind: 'webhook' as const, name: places.webhook.url, ...(places.webhook.ca === undefined ? {} : { ca: places.webhook.ca }), ok: true, counts: true, size: 4_806, detail: 'taken with 204' }]),
  ];
  return {
    ok: true,
    problem: null,
    first_bad_seq: null,
    strength: held.length > 0 ? 'second_place' : 'local_only',
    witnesses: 0,
    log: '6b1f0a2c9d3e4f5a8b7c6d5e4f3a2b1c',
    size: 4_812,
    root: AUDIT_ROOT,
    checkpoint: null,
    signer: 'watchpost/7f3a90c1',
    key_days: keyDays,
    watched_since: at(2_400),
    verified_size: 4_700,
    verified_at: at(26),
    full_at: at(70),
    places: held,
  };
}
