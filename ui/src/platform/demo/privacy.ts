// Holds and erasures of the demonstration.

import type { Erasure, HoldAdd, HoldRelease, LegalHold, PrivacyErase, PrivacyErased, PrivacyLook, PrivacyRef, Residue } from '$ui/generated/model';

const AT = '2026-10-30T09:12:00Z';

export class DemoPrivacy {
  holds: LegalHold[];
  erasures: Erasure[] = [];

  constructor(empty: boolean) {
    this.holds = empty
      ? []
      : [{ id: '5c0f19aa', subject: { kind: 'user', value: 'j.petrov' }, reason: 'case 7 Js 12/26', owner: 'legal', placed_at: AT, placed_by: 'mlindqvist', released_at: null, released_by: null, release_reason: null }];
  }

  look(request: PrivacyRef): PrivacyLook {
    const places: Residue[] = request.subject.includes('nobody')
      ? []
      : [
          { place: 'event.body', state: 'found', n: 214, detail: 'rows about it, which an erasure removes' },
          { place: 'incident_note.text', state: 'found', n: 2, detail: 'rows that name it, in which an erasure puts a pseudonym' },
          { place: 'audit_payload.sealed', state: 'found', n: 11, detail: 'records of the trail, whose content an erasure removes; their leaves stay' },
        ];
    return { places, columns: 232, opened: 4_812, holds: this.holds.filter((hold) => hold.released_at === null && hold.subject.value === request.subject) };
  }

  erase(request: PrivacyErase): PrivacyErased {
    const erasure: Erasure = { id: '9f2c4411a07be3d5', at: AT, by: 'mlindqvist', kind: request.kind, pseudonym: 'erased-9f2c4411', record: 4_813, counts: [{ what: 'event', removed: 214, changed: 0 }] };
    this.erasures = [erasure, ...this.erasures];
    const residue: Residue[] = [
      { place: 'copies outside of this console', state: 'out_of_reach', n: 0, detail: 'files that were moved or mailed, backups of the machine, logs of the applications, and the free space of the disk' },
      { place: 'database', state: 'clean', n: 0, detail: '232 columns looked at, 4813 sealed records opened' },
      { place: 'Redis', state: 'clean', n: 0, detail: '37 events removed; keys that are no events (blocks, the applications’ own) were not looked at' },
    ];
    return { erasure, residue, clean: true };
  }

  hold(request: HoldAdd): LegalHold {
    const hold: LegalHold = { id: 'b41d7e20', subject: { kind: request.kind, value: request.subject }, reason: request.reason, owner: request.owner, placed_at: AT, placed_by: 'mlindqvist', released_at: null, released_by: null, release_reason: null };
    this.holds = [hold, ...this.holds];
    return hold;
  }

  release(request: HoldRelease): LegalHold {
    const release = (hold: LegalHold): LegalHold => (hold.id === request.id ? { ...hold, released_at: AT, released_by: 'mlindqvist', release_reason: request.reason } : hold);
    this.holds = this.holds.map(release);
    const released = this.holds.find((hold) => hold.id === request.id);
    if (released === undefined) throw new Error('there is no such hold');
    return released;
  }
}
