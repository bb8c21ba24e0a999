// What an incident is about without whom, for where that stands beside it.

import type { Incident } from '$ui/generated/model';
import { translatedRule } from '$ui/domain/rule/title';
import { language, word } from '$ui/i18n';
import { visible } from '$ui/shared/text/visible';
import { incidentTitle } from './title';

/** Families whose titles say more than the family does. */
const TOLD: readonly Incident['family'][] = ['account_takeover', 'redis_health'];
const JOINTS = [': ', ' from ', ' against user ', ' in session ', ' on '];

export function attackOf(incident: Pick<Incident, 'title' | 'family' | 'entity'>): string {
  const { title, family, entity } = incident;
  if (!TOLD.includes(family)) return word('family', family);
  if (family === 'redis_health') return incidentTitle(incident);
  const shown = visible(entity.value, 80);
  const joint = JOINTS.find((known) => title.endsWith(known + shown));
  const attack = joint === undefined ? title : title.slice(0, title.length - joint.length - shown.length);
  return language === 'en' ? attack : translatedRule(attack);
}
