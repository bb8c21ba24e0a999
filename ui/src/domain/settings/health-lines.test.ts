import { expect, test } from 'vitest';
import type { HealthLimitState } from '$ui/generated/model';
import { limitsOf, rowsOf } from './health-lines';

const memory: HealthLimitState = { metric: 'memory_used_ratio', title: 'Memory use', unit: 'ratio', warning: 0.7, critical: 0.85, default_warning: 0.7, default_critical: 0.85 };

test('ratios are typed in percent, and nothing is no line', () => {
  expect(rowsOf([memory])).toEqual([{ warning: '70', critical: '85' }]);
  expect(limitsOf([memory], [{ warning: '75', critical: '' }])).toEqual({ limits: [{ metric: 'memory_used_ratio', warning: 0.75, critical: null }] });
  expect(limitsOf([memory], [{ warning: '70', critical: '90,5' }])).toEqual({ limits: [{ metric: 'memory_used_ratio', warning: 0.7, critical: 0.905 }] });
  expect(limitsOf([memory], [{ warning: 'much', critical: '90' }])).toEqual({ wrong: memory });
});
