// Requests of the demonstration that wait for a second person.

import type { ApprovalRequest, ApprovalGranted, ApprovalList, ApprovalState, FourEyes } from '$ui/generated/model';

const AT = '2026-10-30T09:12:00Z';

const WAITING: ApprovalRequest = {
  id: '4be1a09c77d2f310',
  operation: 'block_add',
  matter: 'mass_block',
  carrier: 'approver',
  request: '{"incident":null,"reason":"credential stuffing","target":"198.51.100.0/22","ttl_s":86400}',
  summary: 'blocking 198.51.100.0/22 (1024 addresses) for 86400 s',
  reason: 'credential stuffing',
  asked_by: 'mlindqvist',
  asked_at: AT,
  expires_at: '2026-10-31T09:12:00Z',
  state: 'waiting',
  decided_by: null,
  decided_at: null,
  note: null,
  outcome: null,
};

export class DemoApprovals {
  #approvals: ApprovalRequest[];
  #policy: FourEyes = { on: true, prefix_v4: 24, prefix_v6: 48 };
  readonly #empty: boolean;

  constructor(empty: boolean) {
    this.#empty = empty;
    this.#approvals = empty ? [] : [WAITING, { ...WAITING, id: '99c3e1f0aa41b207', asked_by: 'mara', summary: 'releasing the legal hold 5c0f19aa', operation: 'hold_release', matter: 'hold_release', request: '{"id":"5c0f19aa","reason":"case closed"}', reason: 'case closed' }];
  }

  list(): ApprovalList {
    const people = this.#empty ? ['mara'] : ['mara', 'mlindqvist'];
    const state = this.#policy.on ? (this.#empty ? 'alone' : 'in_force') : 'off';
    const detail = this.#empty ? 'four eyes are not available alone: only one person is known' : '2 people are known: what two have to decide waits for a second one';
    return { approvals: this.#approvals, unreadable: [], more: 0, policy: this.#policy, people, state, detail };
  }

  decide(id: string, state: ApprovalState): ApprovalRequest {
    this.#approvals = this.#approvals.map((one) => (one.id === id ? { ...one, state, decided_by: 'mara', decided_at: AT } : one));
    const found = this.#approvals.find((one) => one.id === id);
    if (found === undefined) throw new Error('there is no such request');
    return found;
  }

  grant(id: string): ApprovalGranted {
    return { approval: this.decide(id, 'done'), reply: null };
  }

  put(policy: FourEyes): ApprovalList {
    this.#policy = policy;
    return this.list();
  }
}
