// A response policy as it is being changed. It cannot be turned on before what it would have done was looked at.

import type { ResponsePolicy, ResponsePolicyView, ResponsePreview, ResponseRule, ResponseStep } from '$ui/generated/model';
import { t } from '$ui/i18n';
import type { App } from '$ui/state/app.svelte';
import { Work } from '$ui/state/work.svelte';

export const BACK = ['1', '7', '30'] as const;
export type Back = (typeof BACK)[number];

/** What tells rules and steps apart while they are moved and removed; the policy itself has no ids. */
interface RuleKeys {
  id: number;
  steps: readonly number[];
}

/** A plain copy, so that editing leaves what was saved alone. */
function copied<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

/** What of a draft outlives its form. */
export type KeptPolicy = Pick<PolicyDraft, 'policy' | 'reason' | 'back'>;

export class PolicyDraft {
  policy = $state.raw<ResponsePolicy>({} as ResponsePolicy);
  reason = $state('');
  back = $state<Back>('7');
  readonly work = new Work<'look' | 'save'>();
  preview = $state.raw<ResponsePreview | null>(null);
  /** What the preview is of; another policy needs another look. */
  previewed = $state('');
  /** In the order of the rules. */
  keys = $state.raw<readonly RuleKeys[]>([]);
  /** Fields that hold what is no number: what is on screen is not what would be saved. */
  wrong = $state(0);
  #lastKey = 0;
  #saved = $state('');

  constructor(saved: ResponsePolicy, left: KeptPolicy | null = null) {
    this.policy = copied(left?.policy ?? saved);
    this.reason = left?.reason ?? '';
    this.back = left?.back ?? '7';
    this.#saved = JSON.stringify(saved);
    this.keys = this.policy.rules.map((rule) => ({ id: this.#key(), steps: rule.steps.map(() => this.#key()) }));
  }

  readonly text = $derived(JSON.stringify(this.policy));
  readonly changed = $derived(this.text !== this.#saved);
  readonly seen = $derived(this.preview !== null && this.previewed === this.text);
  /** Off hurts nobody; anything else is looked at first. */
  readonly ready = $derived(this.changed && this.wrong === 0 && this.reason.trim() !== '' && (this.policy.mode === 'off' || this.seen));

  #key(): number {
    this.#lastKey += 1;
    return this.#lastKey;
  }

  /** A field holds what cannot be meant; the returned function takes it back. */
  mark(): () => void {
    this.wrong += 1;
    return () => {
      this.wrong -= 1;
    };
  }

  set<K extends keyof ResponsePolicy>(key: K, value: ResponsePolicy[K]): void {
    this.policy = { ...this.policy, [key]: value };
  }

  setRule(index: number, part: Partial<ResponseRule>): void {
    this.set('rules', this.policy.rules.map((rule, at) => (at === index ? { ...rule, ...part } : rule)));
  }

  setStep(index: number, step: number, part: Partial<ResponseStep>): void {
    const rule = this.policy.rules[index];
    if (rule !== undefined) this.setRule(index, { steps: rule.steps.map((one, at) => (at === step ? { ...one, ...part } : one)) });
  }

  removeStep(index: number, step: number): void {
    const rule = this.policy.rules[index];
    if (rule === undefined) return;
    this.#setKeys(index, (steps) => steps.filter((_, at) => at !== step));
    this.setRule(index, { steps: rule.steps.filter((_, at) => at !== step) });
  }

  addStep(index: number): void {
    const rule = this.policy.rules[index];
    if (rule === undefined) return;
    this.#setKeys(index, (steps) => [...steps, this.#key()]);
    this.setRule(index, { steps: [...rule.steps, { action: 'notify', ttl_s: null, value: null, per_min: null }] });
  }

  addRule(): void {
    const names = new Set(this.policy.rules.map((rule) => rule.name));
    let n = this.policy.rules.length + 1;
    while (names.has(`rule-${n}`)) n += 1;
    this.keys = [...this.keys, { id: this.#key(), steps: [this.#key()] }];
    this.set('rules', [...this.policy.rules, { name: `rule-${n}`, rules: [], families: [], severity_min: 'critical', confidence_min: 80, steps: [{ action: 'notify', ttl_s: null, value: null, per_min: null }] }]);
  }

  removeRule(index: number): void {
    this.keys = this.keys.filter((_, at) => at !== index);
    this.set('rules', this.policy.rules.filter((_, at) => at !== index));
  }

  #setKeys(index: number, change: (steps: readonly number[]) => readonly number[]): void {
    this.keys = this.keys.map((rule, at) => (at === index ? { ...rule, steps: change(rule.steps) } : rule));
  }

  async look(app: App): Promise<void> {
    if (this.work.busy) return;
    const { text, policy } = this;
    this.preview = await this.work.run(() => app.read('response_preview', { policy, days: Number(this.back) }), 'look');
    this.previewed = text;
  }

  async save(app: App): Promise<ResponsePolicyView | null> {
    if (!this.ready) return null;
    return await this.work.run(() => app.change('response_policy_put', { policy: this.policy, reason: this.reason.trim() }, { what: t('policy.what', { mode: t(`policy.mode.${this.policy.mode}`) }), done: t('policy.done', { mode: t(`policy.mode.${this.policy.mode}`) }), quiet: true }), 'save');
  }
}
