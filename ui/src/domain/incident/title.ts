// The title of an incident in the language of the window: the engine writes it in English, from what its row holds as well.

import type { Incident } from '$ui/generated/model';
import { language, t, titled, word } from '$ui/i18n';
import { en } from '$ui/i18n/en';
import { visible } from '$ui/shared/text/visible';
import { translatedRule } from '../rule/title';

/** How the engine puts what was seen and of whom together; the same as in `watchpost_store::incident`. */
const SHAPES = { ip: ' from ', user: ' against user ', session: ' in session ', endpoint: ' on ' } as const;
/** Of an entity, so much stands in a title. */
const ENTITY_MAX = 80;

export function incidentTitle({ title, family, entity }: Pick<Incident, 'title' | 'family' | 'entity'>): string {
  if (language === 'en') return title;
  const value = visible(entity.value, ENTITY_MAX);
  if (family === 'redis_health') return measureTitle(title);
  if (title.endsWith(SHAPES[entity.kind] + value)) return t(`incident.title.${entity.kind}`, { what: word('family', family), value });
  // A title that a rule gave.
  const end = `: ${value}`;
  return title.endsWith(end) ? translatedRule(title.slice(0, -end.length)) + end : title;
}

/** `Slow commands of Redis over its line`: the measure is one of the catalogue. */
function measureTitle(title: string): string {
  const measure = Object.entries(en).find(([key, name]) => key.startsWith('metric.') && title === en['rule_title.redis'].replace('{metric}', name))?.[0];
  return measure === undefined ? title : t('rule_title.redis', { metric: titled('metric', { name: measure.slice('metric.'.length), title: '' }) });
}
