import { render } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';
import { demoPlatform } from '$ui/platform/demo/index';
import { App, appContext } from '$ui/state/app.svelte';
import { described, hook, type } from '$ui/test-hook';
import WindowLockCard from './window-lock-card.svelte';

function says(detail: string): string {
  const lock = { minutes: 5, locked: false, wait_s: 0, detail };
  const { unmount } = render(WindowLockCard, { props: { lock }, context: appContext(new App(demoPlatform())) });
  const text = hook('lock-says').textContent;
  unmount();
  return text;
}

describe('the lock of the window', () => {
  it('says that the next start is locked only where something keeps it', () => {
    expect(says('')).toContain('It starts locked.');
    const session = says('there is no keychain');
    expect(session).toContain('the next start is not locked');
    expect(session).not.toContain('It starts locked');
  });

  it('says at the field what is wrong with it', async () => {
    render(WindowLockCard, { props: { lock: { minutes: null, locked: false, wait_s: 0, detail: '' } }, context: appContext(new App(demoPlatform())) });
    await type('lock-minutes', '0');
    expect(described('lock-minutes')).toBe('A whole number from 1 to 480.');
    await type('lock-minutes', '15');
    await type('lock-new', 'correct horse');
    await type('lock-again', 'correct');
    expect(described('lock-again'), 'so far it is').toBe('');
    await type('lock-again', 'correct house');
    expect([described('lock-again'), hook<HTMLButtonElement>('lock-save').disabled]).toEqual(['This is not the same passphrase.', true]);
  });
});
