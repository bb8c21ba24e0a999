import { describe, expect, it } from 'vitest';
import { OperationError } from './error';
import { Toasts } from './toasts.svelte';

describe('Toasts', () => {
  it('shows one failure of a command and code a minute and counts the rest', () => {
    let now = 0;
    const toasts = new Toasts(() => now);
    const error = new OperationError('unavailable', 'Redis does not answer');
    toasts.failed('block_add', error);
    toasts.failed('block_add', error);
    toasts.failed('block_add', error);
    expect(toasts.shown).toHaveLength(1);
    expect(toasts.shown[0]).toMatchObject({ text: 'Redis does not answer', count: 3 });
    toasts.failed('block_add', new OperationError('validation', 'is not an address'));
    toasts.failed('incident_take', error);
    expect(toasts.shown).toHaveLength(3);
    now = 61_000;
    toasts.failed('block_add', error);
    expect(toasts.shown).toHaveLength(4);
  });

  it('does not bring back what was dismissed within the minute', () => {
    const toasts = new Toasts(() => 0);
    const error = new OperationError('timeout', 'too long');
    toasts.failed('overview', error);
    toasts.dismiss(toasts.shown[0]?.id ?? -1);
    toasts.failed('overview', error);
    expect(toasts.shown).toHaveLength(0);
  });
});
