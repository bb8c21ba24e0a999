// How states of an incident look.

import type { Status, Verdict } from '$ui/generated/model';
import type { Tone } from '$ui/shared/feedback/status-pill.svelte';

export function statusTone(status: Status): Tone {
  switch (status) {
    case 'open':
    case 'reopened':
      return 'warn';
    case 'investigating':
      return 'accent';
    case 'contained':
      return 'ok';
    case 'resolved':
    case 'closed':
      return 'quiet';
  }
}

export function verdictTone(verdict: Verdict): Tone {
  switch (verdict) {
    case 'true_positive':
      return 'bad';
    case 'false_positive':
      return 'warn';
    case 'benign_true_positive':
      return 'ok';
    case 'duplicate':
    case 'unjudged':
      return 'quiet';
  }
}

const NEXT: Readonly<Record<Status, readonly Status[]>> = {
  open: ['contained'],
  reopened: ['contained'],
  investigating: ['contained'],
  contained: ['investigating'],
  resolved: ['closed', 'reopened'],
  closed: ['reopened'],
};

/**
 * Where a status may go by a press: `Status::can_become` without `resolved`, which comes with a verdict, and without
 * `investigating` of an open one, which comes with taking it.
 */
export function nextStatuses(status: Status): readonly Status[] {
  return NEXT[status];
}

export function isActive(status: Status): boolean {
  return status !== 'resolved' && status !== 'closed';
}
