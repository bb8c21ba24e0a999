// A suppression as it is being made: its scope, what it would have hidden, and whether it can be made.

import type { Suppression, SuppressionPreview, SuppressionScope } from '$ui/generated/model';
import { t } from '$ui/i18n';
import type { App } from '$ui/state/app.svelte';
import { PreviewedDraft } from '../previewed-draft.svelte';
import type { SuppressRequest } from './suppress-request.svelte';

/** For how long, in days; the backend takes at most 90. */
export const DAYS = ['1', '7', '30', '90'] as const;
export type Days = (typeof DAYS)[number];
/** The history that the preview looks at, in days. */
export const LOOK_BACK = ['7', '30', '90'] as const;
export type LookBack = (typeof LOOK_BACK)[number];

export const DAY_MS = 86_400_000;

export class SuppressDraft extends PreviewedDraft<SuppressionPreview> {
  rule = $state('');
  family = $state(false);
  entity = $state(false);
  network = $state('');
  endpoint = $state('');
  user = $state('');
  owner = $state('');
  reason = $state('');
  days = $state<Days | null>(null);
  back = $state<LookBack>('7');
  #from = $state.raw<SuppressRequest | null>(null);

  readonly scope = $derived.by((): SuppressionScope => {
    const from = this.#from;
    const scope: SuppressionScope = {};
    if (this.rule.trim() !== '') scope.rule = this.rule.trim();
    if (this.family && from !== null && from.family !== null) scope.family = from.family;
    if (this.entity && from !== null && from.entity !== null) scope.entity = from.entity;
    if (this.network.trim() !== '') scope.network = this.network.trim();
    if (this.endpoint.trim() !== '') scope.endpoint = this.endpoint.trim();
    if (this.user.trim() !== '') scope.user = this.user.trim();
    return scope;
  });
  readonly bounded = $derived(Object.keys(this.scope).length > 0);
  readonly ready = $derived(this.bounded && this.preview !== null && !this.looking && this.reason.trim() !== '' && this.days !== null);

  begin(request: SuppressRequest, me: string): void {
    this.#from = request;
    this.rule = request.rules[0] ?? '';
    this.family = request.rules.length === 0 && request.family !== null;
    this.entity = request.entity !== null;
    this.network = '';
    this.endpoint = '';
    this.user = '';
    this.owner = me;
    this.reason = '';
    this.days = null;
    this.back = '7';
    this.preview = null;
    this.reset();
  }

  /** Counts what the scope would have hidden. The returned function drops the answer. */
  look(app: App): () => void {
    const { scope, bounded } = this;
    const days = Number(this.back);
    return this.ask(bounded ? () => app.read('suppression_preview', { scope, days }) : null);
  }

  /** `null` when something is missing, the person declined, or it failed (then `fault` says why). */
  async submit(app: App, now: number): Promise<Suppression | null> {
    this.tried = true;
    if (!this.ready || this.days === null) return null;
    const n = this.days;
    return this.attempt(() =>
      app.change(
        'suppression_add',
        {
          scope: this.scope,
          owner: this.owner.trim() === '' ? null : this.owner.trim(),
          reason: this.reason.trim(),
          expires_at: new Date(now + Number(n) * DAY_MS).toISOString(),
        },
        { what: t('suppress.confirm', { n }), done: t('suppress.done', { n }), quiet: true },
      ),
    );
  }
}
