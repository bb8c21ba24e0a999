// A containment as it is being typed: of what, for how long, what it would do, and whether it can be done.

import type { Containment, ContainKind, ContainPreview } from '$ui/generated/model';
import { t } from '$ui/i18n';
import { duration } from '$ui/shared/format/number';
import { visible } from '$ui/shared/text/visible';
import type { App } from '$ui/state/app.svelte';
import { PreviewedDraft } from '../previewed-draft.svelte';
import type { ContainRequest } from './contain-request.svelte';

export const KINDS: readonly ContainKind[] = ['session', 'user', 'service', 'limit'];
export const TTLS = ['3600', '86400', '604800', '2592000'] as const;

export class ContainDraft extends PreviewedDraft<ContainPreview> {
  kind = $state<ContainKind>('session');
  target = $state('');
  reason = $state('');
  ttl = $state<(typeof TTLS)[number]>('86400');
  /** Requests a minute that a limit leaves. */
  perMin = $state('30');

  readonly limit = $derived(/^\d{1,6}$/.test(this.perMin.trim()) ? Number(this.perMin.trim()) : null);
  readonly possible = $derived(this.preview !== null && this.preview.refusal === null && !this.looking && (this.kind !== 'limit' || this.limit !== null));

  begin(request: ContainRequest): void {
    this.kind = request.kind;
    this.target = request.target;
    this.reason = request.incident === null ? '' : t('block.reason.default', { n: request.incident });
    this.ttl = '86400';
    this.perMin = '30';
    this.reset();
  }

  /** Fetches what it would do. The returned function drops the answer. */
  look(app: App): () => void {
    const { kind } = this;
    const target = this.target.trim();
    return this.ask(target === '' ? null : () => app.read('contain_preview', { kind, target }));
  }

  /** `null` when something is missing, the person declined, or it failed (then `fault` says why). */
  async submit(app: App, incident: number | null): Promise<Containment | null> {
    this.tried = true;
    const { preview } = this;
    if (!this.possible || preview === null || this.reason.trim() === '') return null;
    const words = { target: visible(preview.target, 80), time: duration(Number(this.ttl)) };
    return this.attempt(() =>
      app.change(
        'contain_add',
        { kind: this.kind, target: preview.target, reason: this.reason.trim(), ttl_s: Number(this.ttl), per_min: this.kind === 'limit' ? this.limit : null, incident },
        { what: t(`contain.what.${this.kind}`, words), done: t(`contain.done.${this.kind}`, words), quiet: true },
      ),
    );
  }
}
