// Asks for the containment dialog from anywhere; the shell draws it once.

import type { ContainKind } from '$ui/generated/model';

export interface ContainRequest {
  kind: ContainKind;
  /** As typed so far; empty to begin with nothing. */
  target: string;
  /** Number of the incident that this contains. */
  incident: number | null;
  /** Targets to choose from, by kind. */
  known?: readonly { kind: ContainKind; target: string }[];
}

class Pending {
  request = $state.raw<ContainRequest | null>(null);
}

export const pendingContain = new Pending();

export function openContain(request: ContainRequest): void {
  pendingContain.request = request;
}

export function closeContain(): void {
  pendingContain.request = null;
}
