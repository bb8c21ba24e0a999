// Asks for the dialogs that block and unblock from anywhere; the shell draws them once.

import type { Block, BlockStanding } from '$ui/generated/model';

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
  /** The block that is to be taken back. */
  held = $state.raw<Block | null>(null);
}

export const pendingBlock = new Pending();

export function openBlock(request: BlockRequest): void {
  pendingBlock.request = request;
}

export function openUnblock(block: Block): void {
  pendingBlock.held = block;
}

export function closeBlock(): void {
  pendingBlock.request = null;
  pendingBlock.held = null;
}

/** Is exactly this target blocked? A new block takes the place of that one then. */
export function isExtended(standing: BlockStanding | null): boolean {
  return standing !== null && standing.block !== null && standing.block.target === standing.target;
}
