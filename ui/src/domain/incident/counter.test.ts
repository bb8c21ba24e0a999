import { describe, expect, it } from 'vitest';
import type { Counter } from '$ui/generated/model';
import { counterShown } from './counter';

const shown = (rule_id: string, counter: Partial<Counter>): ReturnType<typeof counterShown> => counterShown({ rule_id, counter: { what: 'failed logins', seen: 0, threshold: 10, window_s: 300, ...counter } });

describe('the counter of a behaviour', () => {
  it('stands against what is enough', () => {
    expect(shown('wp.auth.guess', { seen: 15 })).toEqual({ text: '15 failed logins in 5 min; 10 are enough', reach: 0.5 });
    expect(shown('wp.auth.guess', { seen: 900 })?.reach).toBe(1);
    expect(counterShown({ rule_id: 'wp.sqli.union', counter: null })).toBeNull();
  });

  it('says of what is rare how rare it is, with no bar that would look like not reached', () => {
    expect(shown('wp.profile.hour', { what: 'percent of the days with activity at this hour', threshold: 2, window_s: 86_400 })).toEqual({ text: 'Active at this hour on 0% of the days; unusual below 2%', reach: null });
    expect(shown('wp.profile.country', { threshold: 1 })).toEqual({ text: 'Never active from this country before', reach: null });
    expect(shown('wp.profile.device', { threshold: 1 })).toEqual({ text: 'Never logged in with this device before', reach: null });
    expect(shown('own.rule', { seen: 3 })).toEqual({ text: '3 failed logins; unusual below 10', reach: null });
  });
});
