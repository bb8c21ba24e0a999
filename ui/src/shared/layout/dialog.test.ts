import { fireEvent, render, waitFor } from '@testing-library/svelte';
import { createRawSnippet } from 'svelte';
import { describe, expect, it, vi } from 'vitest';
import { hook } from '$ui/test-hook';
import Dialog from './dialog.svelte';

function show(content: string, button: string) {
  const onsubmit = vi.fn();
  render(Dialog, {
    open: true,
    title: 'A dialog',
    onclose: () => undefined,
    onsubmit,
    hook: 'dialog',
    children: createRawSnippet(() => ({ render: () => `<div>${content}</div>` })),
    footer: createRawSnippet(() => ({ render: () => button })),
  });
  return onsubmit;
}

const FIELD = '<textarea data-test="text"></textarea>';
const SEND = '<button type="submit" data-test="send">Send</button>';

it('says what its × does, and the key for it, to who points at it', () => {
  show(FIELD, SEND);
  const close = hook('dialog').querySelector('.head button');
  expect([close?.getAttribute('aria-label'), close?.getAttribute('title')]).toEqual(['Close', 'Close (Esc)']);
});

describe('Ctrl+Enter in a dialog', () => {
  it('sends, once for each press', async () => {
    const onsubmit = show(FIELD, SEND);
    await fireEvent.keyDown(hook('text'), { key: 'Enter', ctrlKey: true });
    expect(onsubmit).toHaveBeenCalledTimes(1);
    await fireEvent.keyDown(hook('text'), { key: 'Enter', ctrlKey: true, repeat: true });
    expect(onsubmit, 'a key that is held is one press').toHaveBeenCalledTimes(1);
    await fireEvent.keyDown(hook('text'), { key: 'Enter', metaKey: true });
    expect(onsubmit).toHaveBeenCalledTimes(2);
    await fireEvent.keyDown(hook('text'), { key: 'Enter' });
    expect(onsubmit, 'Enter alone is a line break').toHaveBeenCalledTimes(2);
  });

  it('does no more than its button would', async () => {
    const onsubmit = show(FIELD, SEND.replace('type', 'disabled type'));
    await fireEvent.keyDown(hook('text'), { key: 'Enter', ctrlKey: true });
    expect(onsubmit).not.toHaveBeenCalled();
    hook<HTMLButtonElement>('send').disabled = false;
    await fireEvent.keyDown(hook('text'), { key: 'Enter', ctrlKey: true });
    expect(onsubmit).toHaveBeenCalledTimes(1);
  });
});

describe('the focus of a dialog that opens', () => {
  it('is on what asks for it, wherever that stands', async () => {
    show('<button data-test="first">First</button><input autofocus data-test="wanted">', SEND);
    await waitFor(() => expect(document.activeElement).toBe(hook('wanted')));
  });

  it('is never on what is no tab stop', async () => {
    show('<button role="radio" tabindex="-1">Not chosen</button><button role="radio" tabindex="0" data-test="chosen">Chosen</button>', SEND);
    await waitFor(() => expect(document.activeElement).toBe(hook('chosen')));
  });
});
