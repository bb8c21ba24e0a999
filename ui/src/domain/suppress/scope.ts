// A suppression's scope in words; every part narrows it.

import type { SuppressionScope } from '$ui/generated/model';
import { t, word } from '$ui/i18n';

export function scopeParts(scope: SuppressionScope): string[] {
  const parts: string[] = [];
  if (scope.rule !== undefined) parts.push(t('scope.rule', { value: scope.rule }));
  if (scope.family !== undefined) parts.push(t('scope.family', { value: word('family', scope.family) }));
  if (scope.entity !== undefined) parts.push(t('scope.entity', { value: `${word('entity', scope.entity.kind)} ${scope.entity.value}` }));
  if (scope.network !== undefined) parts.push(t('scope.network', { value: scope.network }));
  if (scope.endpoint !== undefined) parts.push(t('scope.endpoint', { value: scope.endpoint }));
  if (scope.user !== undefined) parts.push(t('scope.user', { value: scope.user }));
  return parts;
}
