// The whole numbers that a job is set by, as they are typed: each within what the backend takes.

import { t } from '$ui/i18n';
import { count, wholeNumber } from '$ui/shared/format/number';
import { fieldFault } from '../form-error';
import type { JobWork } from './job-card.svelte';

export class JobNumbers<Field extends string> {
  readonly fields: readonly Field[];
  typed = $state({}) as Record<Field, string>;
  readonly #limits: Readonly<Record<Field, readonly [number, number]>>;
  readonly #work: JobWork;

  constructor(first: Readonly<Record<NoInfer<Field>, number>>, limits: Readonly<Record<Field, readonly [number, number]>>, work: JobWork) {
    this.fields = Object.keys(limits) as Field[];
    for (const field of this.fields) this.typed[field] = String(first[field]);
    this.#limits = limits;
    this.#work = work;
  }

  /** `null` while one of them is none or is outside of its limits. */
  readonly values = $derived.by((): Record<Field, number> | null => {
    const values: Partial<Record<Field, number>> = {};
    for (const field of this.fields) {
      const value = this.#value(field);
      if (value === null) return null;
      values[field] = value;
    }
    return values as Record<Field, number>;
  });

  /** What is wrong with a field: what was typed, or what the backend said of it. */
  wrong(field: Field): string | null {
    if (this.#value(field) !== null) return fieldFault(this.#work.fault, field);
    const [from, to] = this.#limits[field];
    return t('jobs.simulate.range', { from: count(from), to: count(to) });
  }

  #value(field: Field): number | null {
    const [from, to] = this.#limits[field];
    return wholeNumber(this.typed[field], from, to);
  }
}
