// A connection in a line, without anything secret.

import type { Connection } from '$ui/generated/model';
import { t } from '$ui/i18n';
import { hostList } from './connection-form.svelte';

export function redisPlace({ redis }: Connection): string {
  const { address } = redis;
  if (address.kind === 'local') return t('connections.local');
  if (address.kind === 'unix') return t('connections.redis', { place: address.path });
  const tls = address.tls === null ? '' : `, ${t('connections.tls')}`;
  if (address.kind === 'cluster') return t('connections.cluster', { place: `${hostList(address.nodes)}${tls}` });
  if (address.kind === 'sentinel') return t('connections.sentinel', { master: address.master, place: `${hostList(address.sentinels)}${tls}` });
  return t('connections.redis', { place: `${address.host}:${address.port}${redis.database === 0 ? '' : `/${redis.database}`}${tls}` });
}

export function databasePlace({ database }: Connection): string {
  if (database.kind === 'sqlite') return database.path === null ? t('connections.sqlite.default') : t('connections.sqlite', { path: database.path });
  const tls = database.tls === null ? '' : `, ${t('connections.tls')}`;
  return t('connections.postgres', { place: `${database.host}:${database.port}/${database.database}${tls}` });
}
