import { cleanup, fireEvent, render } from '@testing-library/svelte';
import { afterEach, describe, expect, it } from 'vitest';
import { stamp } from '../format/time';
import { prefs } from '$ui/state/prefs.svelte';
import { described } from '$ui/test-hook';
import DayField from './day-field.svelte';

function box(props: { value?: string; needed?: boolean; error?: string } = {}): HTMLInputElement {
  const { container } = render(DayField, { label: 'From', value: '', hook: 'day', ...props });
  const input = container.querySelector('input');
  if (input === null) throw new Error('no field');
  return input;
}

afterEach(() => {
  cleanup();
  prefs.zone = 'local';
});

describe('a day', () => {
  it('is a named field of text that tells its form and the zone of the window', () => {
    prefs.zone = 'utc';
    const input = box();
    expect(input.type, 'the browser’s own speaks its own language').toBe('text');
    expect(input.labels?.[0]?.textContent).toBe('From');
    expect([input.placeholder, described('day')]).toEqual(['YYYY-MM-DD', expect.stringMatching(/^Empty: no limit \| .*YYYY-MM-DD, UTC\./)]);
    expect(input.closest('.field')?.querySelector('.aside')?.textContent).toBe('UTC');
  });

  it('goes on and back by the arrow keys, and begins with today', async () => {
    prefs.zone = 'utc';
    const input = box();
    await fireEvent.keyDown(input, { key: 'ArrowDown' });
    expect(input.value).toBe(stamp(Date.now(), 'utc', 'day'));
    await fireEvent.input(input, { target: { value: '2026-02-28' } });
    await fireEvent.keyDown(input, { key: 'ArrowUp' });
    expect(input.value).toBe('2026-03-01');
    await fireEvent.keyDown(input, { key: 'ArrowDown' });
    expect(input.value).toBe('2026-02-28');
  });

  it('says what is wrong once it is typed, in words that belong to the field', async () => {
    const input = box();
    await fireEvent.input(input, { target: { value: '2026-1' } });
    expect(input.getAttribute('aria-invalid'), 'it is being typed').toBe('false');
    await fireEvent.blur(input);
    expect(input.getAttribute('aria-invalid')).toBe('true');
    expect(described('day')).toContain('Write a day like ');
    await fireEvent.input(input, { target: { value: '2026-02-31' } });
    expect(input.getAttribute('aria-invalid'), 'complete, and no day').toBe('true');
    await fireEvent.input(input, { target: { value: '2026-02-03' } });
    expect(input.getAttribute('aria-invalid')).toBe('false');
  });

  it('asks for one where there has to be one, and tells what the form has against it', async () => {
    expect(box({ needed: true }).getAttribute('aria-invalid')).toBe('true');
    cleanup();
    const input = box({ value: '2026-02-03', error: 'Too early.' });
    expect([input.getAttribute('aria-invalid'), described('day')]).toEqual(['true', expect.stringContaining('Too early.')]);
  });
});
