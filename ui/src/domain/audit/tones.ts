import type { AuditOutcome, AuditRecord } from '$ui/generated/model';
import type { Tone } from '$ui/shared/feedback/status-pill.svelte';
import { residueOf } from './words';

const TONES: Record<AuditOutcome, Tone> = { started: 'quiet', success: 'ok', failure: 'bad', denied: 'warn' };

/** What was done and left something to do is no failure. */
export function outcomeTone(record: AuditRecord): Tone {
  const residue = residueOf(record);
  return residue === null || residue === 'clean' ? TONES[record.outcome] : 'warn';
}
