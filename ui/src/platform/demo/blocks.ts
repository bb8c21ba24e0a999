// Blocks of the made-up workspace.

import type { Block, BlockList, BlockListRequest, BlockRow, BlockState } from '$ui/generated/model';
import { Random } from './random';

const HOUR = 3_600_000;
const REASONS = ['Credential stuffing against /login, 4,812 failures in 10 min', 'SQL injection attempts on /search', 'Scanner: sqlmap user agent', 'Brute force on the admin login', 'Announced pentest is over, host keeps going', 'Path traversal against /files'] as const;

function row(random: Random, index: number, state: BlockState, now: number): BlockRow {
  const ttl = random.pick([1, 24, 168, 720] as const) * HOUR;
  const age = state === 'active' ? random.next() * ttl * 0.9 : ttl + random.next() * 72 * HOUR;
  const created = now - age;
  const target = index === 2 ? '198.51.100.0/24' : index === 4 ? '2001:db8:85a3::8a2e:370:7334' : `203.0.113.${random.int(1, 254)}`;
  const incident = random.next() < 0.7 ? random.int(1, 134) : null;
  const block: Block = {
    id: random.uuid(),
    target,
    reason: random.pick(REASONS),
    created_by: random.pick(['mara', 'jonas', 'engine'] as const),
    created_at: new Date(created).toISOString(),
    expires_at: new Date(created + ttl).toISOString(),
    state,
    removed_at: state === 'removed' ? new Date(created + ttl * 0.4).toISOString() : null,
    removed_by: state === 'removed' ? 'jonas' : null,
    incident: null,
  };
  const left = Math.round((created + ttl - now) / 1_000);
  return { block, incident, redis_ttl_s: state === 'active' && index !== 3 ? left : null };
}

function heldAt(block: Block, at: string): boolean {
  return block.state !== 'failed' && block.state !== 'pending' && block.created_at <= at && block.expires_at > at && (block.removed_at === null || block.removed_at > at);
}

export class DemoBlocks {
  #rows: BlockRow[];
  #allowlist: BlockList['allowlist'];

  constructor(empty: boolean) {
    const random = new Random(5);
    const now = Date.now();
    const states: BlockState[] = [...Array.from({ length: 14 }, () => 'active' as const), 'failed', 'pending', ...Array.from({ length: 9 }, () => 'expired' as const), ...Array.from({ length: 4 }, () => 'removed' as const)];
    this.#rows = empty ? [] : states.map((state, index) => row(random, index, state, now));
    this.#allowlist = empty
      ? []
      : [
          { target: '192.0.2.0/24', note: 'Office and VPN', added_by: 'mara', added_at: new Date(now - 90 * 24 * HOUR).toISOString() },
          { target: '198.51.100.17/32', note: 'Uptime monitoring, would look like an outage', added_by: 'jonas', added_at: new Date(now - 12 * 24 * HOUR).toISOString() },
        ];
  }

  list({ state, created, in_force_at: at, touching }: BlockListRequest): BlockList {
    const blocks = this.#rows.filter((one) => (touching === undefined || one.block.target === touching) && (state.length === 0 || state.includes(one.block.state)) && (created === undefined || (one.block.created_at >= created.from && one.block.created_at < created.to)) && (at === undefined || heldAt(one.block, at)));
    const holding = blocks.filter((one) => one.block.state === 'active').length;
    const waiting = blocks.filter((one) => one.block.state === 'pending' || one.block.state === 'failed').length;
    return { blocks, total: blocks.length, in_force: holding, not_in_force: waiting, allowlist: this.#allowlist, own_addresses: ['127.0.0.0/8', '10.0.0.7', '10.0.4.12', 'fe80::1'] };
  }

  add(block: Block, incident: number | null): Block {
    this.#rows = [{ block, incident, redis_ttl_s: Math.round((new Date(block.expires_at).getTime() - Date.now()) / 1_000) }, ...this.#rows];
    return block;
  }

  remove(id: string): Block {
    const found = this.#rows.find((one) => one.block.id === id);
    if (found === undefined) {
      const error: unknown = { code: 'not_found', message: 'there is no such block' };
      throw error;
    }
    const removed: Block = { ...found.block, state: 'removed', removed_at: new Date().toISOString(), removed_by: 'mara' };
    this.#rows = this.#rows.map((one) => (one === found ? { ...one, block: removed, redis_ttl_s: null } : one));
    return removed;
  }

  allow(target: string, note: string): BlockList {
    this.#allowlist = [...this.#allowlist, { target, note, added_by: 'mara', added_at: new Date().toISOString() }];
    return this.list({ state: [], limit: 500 });
  }

  disallow(target: string): BlockList {
    this.#allowlist = this.#allowlist.filter((entry) => entry.target !== target);
    return this.list({ state: [], limit: 500 });
  }
}
