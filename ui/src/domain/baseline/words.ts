// How it was and how it is, in words: the backend sends kinds and numbers.

import type { Drift } from '$ui/generated/model';
import { countryName } from '$ui/domain/entity/place';
import { t } from '$ui/i18n';
import { bytes, count, whole } from '$ui/shared/format/number';

/** One side of a change: 0 how it was, 1 how it is. */
export function driftText({ kind, values }: Pick<Drift, 'kind' | 'values'>, side: 0 | 1): string {
  const value = values[side];
  switch (value.kind) {
    case 'absent':
      return t('drift_value.absent');
    case 'events':
      return t('drift_value.events', { n: count(value.n) });
    case 'values': {
      const all = (kind === 'countries' ? value.values.map(countryName) : value.values).join(', ');
      return side === 0 ? all : t('drift_value.also', { values: all });
    }
    case 'hours':
      return t('drift_value.hours', { hours: value.hours.map((hour) => `${String(hour).padStart(2, '0')}:00`).join(', ') });
    case 'usual': {
      const is = (n: number): string => (value.unit === 'hour_requests' ? count(n) : whole(bytes(n * 1024)));
      const median = is(value.median);
      const amount = value.unit === 'hour_requests' ? t('drift_value.hour_requests', { n: median }) : t(`drift_value.${value.unit}`, { much: median });
      // Where it was always as much there is nothing to say of it.
      return value.deviation === 0 ? amount : t('drift_value.usual', { amount, deviation: is(value.deviation) });
    }
  }
}
