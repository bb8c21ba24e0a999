import { expect, it } from 'vitest';
import type { Incident } from '$ui/generated/model';
import { attackOf } from './attack-of';

function about(family: Incident['family'], title: string, value: string): string {
  return attackOf({ family, title, entity: { kind: 'user', value } });
}

it('says what an incident is about, and leaves the entity to its own line', () => {
  expect(about('xss', 'Cross-site scripting from 203.0.113.13', '203.0.113.13')).toBe('Cross-site scripting');
  expect(about('account_takeover', 'Active at an unusual hour: anna', 'anna')).toBe('Active at an unusual hour');
  expect(about('account_takeover', 'Account takeover against user anna', 'anna')).toBe('Account takeover');
  expect(about('redis_health', 'Slow commands of Redis over its line', 'Slow commands on redis.sock')).toBe('Slow commands of Redis over its line');
});
