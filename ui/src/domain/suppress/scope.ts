// A suppression's scope in words; every part narrows it.

import type { AttackFamily, Entity, SuppressionScope } from '$ui/generated/model';
import { ruleTitle } from '$ui/domain/rule/title';
import { t, word } from '$ui/i18n';

/** `User anna`; what Redis is measured by is no endpoint, though it stands in the place of one. */
export function scopeEntity(entity: Entity, family: AttackFamily | null | undefined, rule: string | undefined): string {
  const isMeasure = family === 'redis_health' || rule?.startsWith('wp.redis.') === true;
  return isMeasure ? entity.value : `${word('entity', entity.kind)} ${entity.value}`;
}

export function scopeParts(scope: SuppressionScope): string[] {
  const parts: string[] = [];
  if (scope.rule !== undefined) parts.push(t('scope.rule', { value: ruleTitle(scope.rule) }));
  if (scope.family !== undefined) parts.push(t('scope.family', { value: word('family', scope.family) }));
  if (scope.entity !== undefined) parts.push(t('scope.entity', { value: scopeEntity(scope.entity, scope.family, scope.rule) }));
  if (scope.network !== undefined) parts.push(t('scope.network', { value: scope.network }));
  if (scope.endpoint !== undefined) parts.push(t('scope.endpoint', { value: scope.endpoint }));
  if (scope.user !== undefined) parts.push(t('scope.user', { value: scope.user }));
  return parts;
}
