// A block as it is being typed: for how long, what it would do, and whether it can be done.

import type { Block, BlockPreview } from '$ui/generated/model';
import { t } from '$ui/i18n';
import { duration } from '$ui/shared/format/number';
import type { App } from '$ui/state/app.svelte';
import { PreviewedDraft } from '../previewed-draft.svelte';

export const TTLS = ['3600', '86400', '604800', '2592000', 'custom'] as const;
export type Ttl = (typeof TTLS)[number];
export const UNITS = ['60', '3600', '86400'] as const;
export type TtlUnit = (typeof UNITS)[number];

/** What the backend takes, in seconds. */
const TTL_MIN = 60;
const TTL_MAX = 31_536_000;

/** Seconds of a custom time; `null` if it is no number or outside of what the backend takes. */
export function customTtl(amount: string, unit: TtlUnit): number | null {
  if (!/^\d{1,9}$/.test(amount.trim())) return null;
  const seconds = Number(amount.trim()) * Number(unit);
  return seconds < TTL_MIN || seconds > TTL_MAX ? null : seconds;
}

export class BlockDraft extends PreviewedDraft<BlockPreview> {
  target = $state('');
  reason = $state('');
  ttl = $state<Ttl>('86400');
  amount = $state('12');
  unit = $state<TtlUnit>('3600');

  readonly seconds = $derived(this.ttl === 'custom' ? customTtl(this.amount, this.unit) : Number(this.ttl));
  readonly ready = $derived(this.preview !== null && this.preview.refusal === null && this.reason.trim() !== '' && this.seconds !== null && !this.looking);

  begin(target: string, reason: string): void {
    this.target = target;
    this.reason = reason;
    this.ttl = '86400';
    this.reset();
  }

  /** Fetches what the block would do. The returned function drops the answer. */
  look(app: App): () => void {
    const target = this.target.trim();
    return this.ask(target === '' ? null : () => app.read('block_preview', { target }));
  }

  /** Blocks; `null` when something is missing, the person declined, or it failed (then `fault` says why). */
  async submit(app: App, incident: number | null): Promise<Block | null> {
    this.tried = true;
    const { preview, seconds } = this;
    if (!this.ready || preview === null || seconds === null) return null;
    const words = { target: preview.target, time: duration(seconds) };
    return this.attempt(() =>
      app.change(
        'block_add',
        { target: preview.target, reason: this.reason.trim(), ttl_s: seconds, incident },
        { what: t('block.what', words), done: t('block.done', words), quiet: true },
      ),
    );
  }
}
