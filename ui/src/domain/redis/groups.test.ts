import { describe, expect, it } from 'vitest';
import { makeHealth } from '$ui/platform/demo/health';
import { grouped } from './groups';

describe('grouped', () => {
  it('loses no metric and keeps their order', () => {
    const { metrics } = makeHealth();
    const [first] = metrics;
    if (first === undefined) throw new Error('no metrics');
    const parts = grouped([...metrics, { ...first, name: 'of_a_later_version' }]);
    expect(parts.map((part) => part.group)).toEqual(['memory', 'load', 'keys', 'persistence', 'replication', 'access']);
    expect(parts.flatMap((part) => part.metrics)).toHaveLength(metrics.length + 1);
    expect(parts[0]?.metrics[0]?.name).toBe('memory_used_ratio');
    expect(parts[1]?.metrics.at(-1)?.name).toBe('of_a_later_version');
  });
});
