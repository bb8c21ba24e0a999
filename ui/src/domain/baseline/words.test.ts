import { describe, expect, it } from 'vitest';
import type { Drift } from '$ui/generated/model';
import { driftText } from './words';

function said(kind: Drift['kind'], ...values: Drift['values']): string[] {
  return [driftText({ kind, values }, 0), driftText({ kind, values }, 1)];
}

describe('a change in words', () => {
  it('counts in the unit that fits', () => {
    expect(said('requests', { kind: 'usual', median: 1, deviation: 0, unit: 'hour_requests' }, { kind: 'usual', median: 1_200, deviation: 6, unit: 'hour_requests' })).toEqual(['1 request an hour', '1,200 requests an hour (± 6)']);
    expect(said('volume', { kind: 'usual', median: 31, deviation: 2, unit: 'hour_kib' }, { kind: 'usual', median: 3_239, deviation: 0, unit: 'day_kib' })).toEqual(['31 KiB an hour (± 2 KiB)', '3.2 MiB a day']);
  });

  it('names what is new, what is there and when', () => {
    expect(said('countries', { kind: 'values', values: ['DE', 'GB'] }, { kind: 'values', values: ['NL'] })).toEqual(['Germany, United Kingdom', 'also Netherlands']);
    expect(said('new', { kind: 'absent' }, { kind: 'events', n: 1 })).toEqual(['not there', '1 event']);
    expect(said('hours', { kind: 'hours', hours: [8, 9] }, { kind: 'hours', hours: [3] })).toEqual(['mostly 08:00, 09:00', 'mostly 03:00']);
  });
});
