// The marks that stand in an event where secrets were taken out.

import type { Event, SealKind } from '$ui/generated/model';

/** How long a revealed value is shown. */
export const SHOWN_MS = 30_000;

export interface Mark {
  kind: SealKind;
  /** Without its brackets: `password:1f0c3a9b-77de0142`. */
  mark: string;
}

const KINDS: Readonly<Record<SealKind, true>> = { password: true, token: true, key: true, card: true, email: true, name: true, address: true, field: true };

function isKind(text: string): text is SealKind {
  return Object.hasOwn(KINDS, text);
}

/** Each mark of an event, once. */
export function marksIn(event: Event): Mark[] {
  const found = new Map<string, Mark>();
  for (const [, mark = '', kind = ''] of JSON.stringify(event).matchAll(/\[sealed:(([a-z]{3,8}):[0-9a-f]{8}-[0-9a-f]{8})\]/g)) {
    if (isKind(kind)) found.set(mark, { kind, mark });
  }
  return [...found.values()];
}
