import { render } from '@testing-library/svelte';
import { expect, it } from 'vitest';
import TextInput from './text-input.svelte';

it('says of an example that it is one', () => {
  const { container } = render(TextInput, { value: '', example: '203.0.113.7' });
  expect(container.querySelector('input')?.placeholder).toBe('e.g. 203.0.113.7');
});

it('says what a field wants as it is', () => {
  const { container } = render(TextInput, { value: '', placeholder: 'Person or login' });
  expect(container.querySelector('input')?.placeholder).toBe('Person or login');
});
