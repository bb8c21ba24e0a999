import type { AuditOutcome } from '$ui/generated/model';
import type { Tone } from '$ui/shared/feedback/status-pill.svelte';

const TONES: Record<AuditOutcome, Tone> = { started: 'quiet', success: 'ok', failure: 'bad', denied: 'warn' };

export function outcomeTone(outcome: AuditOutcome): Tone {
  return TONES[outcome];
}
