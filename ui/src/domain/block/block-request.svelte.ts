// Asks for the block dialog from anywhere; the shell draws it once.

export interface BlockRequest {
  /** As typed so far; empty to begin with nothing. */
  target: string;
  /** Number of the incident that the block contains. */
  incident: number | null;
  /** Addresses that could be meant. */
  known?: readonly string[];
}

class Pending {
  request = $state.raw<BlockRequest | null>(null);
}

export const pendingBlock = new Pending();

export function openBlock(request: BlockRequest): void {
  pendingBlock.request = request;
}

export function closeBlock(): void {
  pendingBlock.request = null;
}
