// Asks for the suppression dialog from anywhere; the shell draws it once.

import type { AttackFamily, Entity } from '$ui/generated/model';

export interface SuppressRequest {
  /** What the finding that annoys says of itself; each part can be taken into the scope. */
  rules: readonly string[];
  family: AttackFamily | null;
  entity: Entity | null;
  /** Number of the incident it began with. */
  incident: number | null;
}

class Pending {
  request = $state.raw<SuppressRequest | null>(null);
}

export const pendingSuppress = new Pending();

export function openSuppress(request: SuppressRequest): void {
  pendingSuppress.request = request;
}

export function closeSuppress(): void {
  pendingSuppress.request = null;
}
