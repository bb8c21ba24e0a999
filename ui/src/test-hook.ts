// What component tests find things by: the same `data-test` hooks as the end-to-end tests.

import { fireEvent } from '@testing-library/svelte';
import type { FakePlatform } from '$ui/platform/fake';

/** The first element with a hook; throws when it is not on screen. */
export function hook<T extends HTMLElement>(name: string): T {
  const found = document.querySelector<T>(`[data-test="${name}"]`);
  if (found === null) throw new Error(`no ${name} on screen`);
  return found;
}

export async function type(name: string, value: string): Promise<void> {
  await fireEvent.input(hook(name), { target: { value } });
}

/** The requests of an operation so far, oldest first. */
export function requests(platform: FakePlatform, name: string): unknown[] {
  return platform.calls.filter((call) => call.name === name).map((call) => call.request);
}

/** Chooses an option. happy-dom does not know `option:checked`; Svelte then takes the first option that is not disabled. */
export async function choose(name: string, value: string): Promise<void> {
  const select = hook<HTMLSelectElement>(name);
  const others = [...select.options].filter((option) => option.value !== value);
  for (const option of others) option.disabled = true;
  await fireEvent.change(select, { target: { value } });
  for (const option of others) option.disabled = false;
}

/** What a screen reader says of a field beside its name: its help, and what is wrong with it. */
export function described(name: string): string {
  const ids = hook(name).getAttribute('aria-describedby')?.split(' ') ?? [];
  return ids.map((id) => document.getElementById(id)?.textContent ?? `nothing has the id ${id}`).join(' | ');
}
