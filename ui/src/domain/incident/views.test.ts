import { beforeEach, describe, expect, it } from 'vitest';
import { sameView, savedViews } from './views.svelte';

describe('saved views', () => {
  beforeEach(() => {
    for (const view of savedViews.all) savedViews.remove(view.name);
  });

  it('are kept by name on this machine', () => {
    savedViews.save('Night shift', { severity: 'critical' });
    savedViews.save('Night shift', { severity: 'critical,high' });
    savedViews.save('Mine', { assignee: 'mara' });
    expect(savedViews.all.map((view) => view.name)).toEqual(['Night shift', 'Mine']);
    expect(JSON.parse(localStorage.getItem('watchpost.views') ?? '')).toEqual([
      { name: 'Night shift', query: { severity: 'critical,high' } },
      { name: 'Mine', query: { assignee: 'mara' } },
    ]);
    savedViews.remove('Night shift');
    expect(savedViews.all.map((view) => view.name)).toEqual(['Mine']);
  });

  it('are the same by what they filter, not by how an incident is shown', () => {
    expect(sameView({ severity: 'high', view: 'full' }, { severity: 'high' })).toBe(true);
    expect(sameView({ severity: 'high' }, { severity: 'high', order: 'due' })).toBe(false);
  });
});
