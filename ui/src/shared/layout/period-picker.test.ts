import { fireEvent, render } from '@testing-library/svelte';
import { beforeEach, describe, expect, it } from 'vitest';
import { period } from '$ui/state/period.svelte';
import { prefs } from '$ui/state/prefs.svelte';
import { hook } from '$ui/test-hook';
import PeriodPicker from './period-picker.svelte';

const year = new Date().getUTCFullYear();

beforeEach(() => {
  prefs.zone = 'utc';
  period.preset = '24h';
});

describe('the choice of a period', () => {
  it('says which period of one’s own it is', async () => {
    render(PeriodPicker);
    expect(hook('period-custom').textContent).toBe('Custom');
    period.narrow(Date.UTC(year, 10, 22, 7) / 1_000, Date.UTC(year, 10, 22, 12, 20) / 1_000);
    await Promise.resolve();
    expect(hook('period-custom').textContent).toBe('11-22 07:00 – 12:20');
    expect(hook('period-custom').title).toBe(`${year}-11-22 07:00:00 to ${year}-11-22 12:20:00 UTC. Press to choose another.`);
    await fireEvent.click(hook('period-widen'));
    expect(hook('period-custom').textContent).toBe('Custom');
  });

  it('takes times as the window writes them, and says what it cannot read', async () => {
    render(PeriodPicker);
    await fireEvent.click(hook('period-custom'));
    expect(hook<HTMLInputElement>('period-from').value).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d$/);
    const type = async (from: string, to: string): Promise<void> => {
      await fireEvent.input(hook('period-from'), { target: { value: from } });
      await fireEvent.input(hook('period-to'), { target: { value: to } });
      await fireEvent.submit(hook('period-from').closest('form') ?? document.body);
    };
    await type('22.11.', '2026-11-22 12:20');
    expect([hook('period-from').getAttribute('aria-invalid'), period.preset]).toEqual(['true', '24h']);
    await type('2026-11-22 12:20', '2026-11-22 07:00');
    expect(hook('period-dialog').textContent).toContain('The end must be after the beginning.');
    await type('2026-11-22', '2026-11-22 07:00:30');
    expect(period.current).toEqual({ from: '2026-11-22T00:00:00.000Z', to: '2026-11-22T07:00:30.000Z' });
  });
});
