// Rules, suppressions, containments, the response policy, risk: answers of the made-up workspace.

import type { AssetRule, Containment, OutboxMessage, ResponsePolicy, RuleRow, Suppression, ThreatList } from '$ui/generated/model';
import type { Answers } from '../fake';
import { risk, riskTop } from './risk';

const HOUR = 3_600_000;

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

function refuse(code: string, message: string): never {
  const error: unknown = { code, message };
  throw error;
}

const RULES_DIRECTORY = '/home/mara/.local/share/watchpost/rules';

const RULES: RuleRow[] = [
  { id: 'wp.sqli.union', version: 1, title: 'UNION SELECT appended', kind: 'signature', family: 'sqli', severity: 'high', confidence: 95, enabled: true, file: 'sqli.yml', line: 1, embedded: true, overrides: false, threshold: null, window_s: null, adjusted: false, file_enabled: true, file_threshold: null, file_window_s: null },
  { id: 'wp.brute.source', version: 2, title: 'Many failed logins from one source', kind: 'behaviour', family: 'brute_force', severity: 'high', confidence: 80, enabled: true, file: 'behaviours.yml', line: 1, embedded: true, overrides: false, threshold: 5, window_s: 600, adjusted: false, file_enabled: true, file_threshold: 5, file_window_s: 600 },
  { id: 'acme.export', version: 1, title: 'Nightly export <b>called</b> by day', kind: 'sigma', family: 'custom', severity: 'low', confidence: 60, enabled: false, file: 'acme.yml', line: 4, embedded: false, overrides: false, threshold: null, window_s: null, adjusted: true, file_enabled: true, file_threshold: null, file_window_s: null },
];

const POLICY: ResponsePolicy = {
  mode: 'dry_run',
  rules: [{ name: 'critical and certain', rules: [], families: [], severity_min: 'critical', confidence_min: 85, steps: [{ action: 'block_ip', ttl_s: 3_600, value: null, per_min: null }] }],
  trusted_proxies: [],
  sensors: [],
  protected_users: ['root'],
  private_ranges: false,
  soft_allow_h: 24,
  repeat_days: 30,
  ttl_max_s: 604_800,
  age_max_s: 3_600,
  contain_per_hour_max: 50,
};

const THREAT_LISTS: ThreatList[] = [
  { name: 'feodo', confidence: 80, format: 'csv', source: 'feodo.csv', sha256: '9b74'.repeat(16), imported_at: iso(Date.now() - 26 * HOUR), imported_by: 'mara', addresses: 612, domains: 0, user_agents: 0, total: 612, skipped: 2, duplicates: 0 },
];

function makeMessages(): OutboxMessage[] {
  const made = (number: number, part: Partial<OutboxMessage>): OutboxMessage => ({ id: `message-${number}`, kind: 'notify', destination: 'on-call', incident: `incident-${number}`, number, severity: 'critical', subject: `Incident #${number}: credential stuffing from 203.0.113.77`, body: 'Opened 40 s ago.', state: 'delivered', created_at: iso(Date.now() - number * HOUR), tries: 1, error: null, ended_at: null, ...part });
  return [made(3, { state: 'pending', tries: 2, error: 'the relay answered 503' }), made(7, { kind: 'ticket', destination: 'SEC', severity: 'high', state: 'failed', tries: 8, error: 'the queue <b>SEC</b> is not known' }), made(12, { ended_at: iso(Date.now()) })];
}

export function defenceAnswers(empty = false) {
  let assets: AssetRule[] = empty ? [] : [{ kind: 'endpoint', pattern: '/admin', label: 'critical asset', weight: 2 }];
  let threatLists = empty ? [] : THREAT_LISTS;

  let rules = RULES;
  let directory = RULES_DIRECTORY;
  let policy = POLICY;
  let suppressions: Suppression[] = [];
  let containments: Containment[] = [];
  const rule = (id: string): RuleRow => rules.find((row) => row.id === id) ?? refuse('not_found', `there is no rule ${id}`);
  const detail = (row: RuleRow) => ({
    row,
    description: '',
    attack: ['T1190'],
    owasp: 'A05:2025',
    controls: ['PCI DSS 6.4.2'],
    falsepositives: ['A search for the words of SQL'],
    text: `title: ${row.title}\nid: ${row.id}\nlevel: ${row.severity}`,
    fires: [{ request: '/p?id=1 UNION SELECT 1' }],
    near_misses: [{ request: '/p?q=union jack \u202egpj.exe' }],
  });
  return {
    enrichment_get: () => ({
      location: empty ? [] : [{ role: 'city', path: '/srv/geo/city.mmdb', kind: 'City', built_at: iso(Date.now() - 72 * HOUR), age_days: 3, problem: null }],
      damaged_lookups: 0,
      threat_lists: threatLists.length,
      threat_entries: threatLists.length * 612,
      threat_problem: null,
      assets: assets.length,
      risk: { half_life_h: 24 },
    }),
    threat_list_list: () => ({ lists: threatLists, at: iso(Date.now()) }),
    threat_list_remove: ({ name }) => ({ lists: (threatLists = threatLists.filter((list) => list.name !== name)), at: iso(Date.now()) }),
    threat_list_show: ({ name, offset, limit }) => {
      const list = threatLists.find((one) => one.name === name) ?? refuse('not_found', `there is no threat list ${name}`);
      const left = Math.max(0, Math.min(limit, list.addresses - offset));
      return { list, entries: Array.from({ length: left }, (_, index) => ({ kind: 'ip', value: `203.0.${Math.floor((offset + index) / 256)}.${(offset + index) % 256}`, ...(index === 0 ? { note: 'C2 of <Emotet>' } : {}) })) };
    },
    outbox_list: () => {
      const messages = empty ? [] : makeMessages();
      return { messages, waiting: messages.filter((one) => one.state === 'pending').length };
    },
    asset_list: () => ({ assets }),
    asset_remove: ({ kind, pattern }) => ({ assets: (assets = assets.filter((one) => one.kind !== kind || one.pattern !== pattern)) }),
    rule_list: () => ({ directory, loaded_at: iso(Date.now()), rules, problems: empty ? [] : [{ file: 'acme.yml', line: 12, rule_id: null, kind: 'selection', reason: 'unknown modifier <script>', is_warning: false }], problems_total: empty ? 0 : 1 }),
    rule_show: ({ id }) => detail(rule(id)),
    rule_directory_set: ({ directory: chosen }) => {
      directory = chosen ?? RULES_DIRECTORY;
      return { directory, loaded_at: iso(Date.now()), rules, problems: [], problems_total: 0 };
    },
    rule_import_sigma: ({ path }) => ({
      directory: `${directory}/sigma`,
      rules: 2,
      copied: 1,
      files: [
        { file: 'web.yml', outcome: 'imported', rules: 2, problems: [] },
        { file: 'windows.yml', outcome: 'not_supported', rules: 0, problems: [{ file: 'windows.yml', line: 3, rule_id: null, kind: 'other_logs', reason: `looks at logs of Windows: ${path}`, is_warning: false }] },
      ],
    }),
    rule_reload: () => ({ directory, loaded_at: iso(Date.now()), rules, problems: [], problems_total: 0 }),
    rule_test: () => ({ rules: 1, samples: 6, untested: 0, failures: [], by_setting: [], problems: [] }),
    rule_set: ({ id, enabled, threshold, window_s }) => {
      const shipped = RULES.find((row) => row.id === id) ?? rule(id);
      const adjusted = enabled !== null || threshold !== null || window_s !== null;
      const next = { ...rule(id), enabled: enabled ?? shipped.enabled, threshold: threshold ?? shipped.threshold, window_s: window_s ?? shipped.window_s, adjusted };
      rules = rules.map((row) => (row.id === id ? next : row));
      return detail(next);
    },
    rule_backtest_progress: () => ({ step: 'replaying', done: 8_000, total: 22_715, running: true }),
    rule_backtest_cancel: () => ({ step: 'replaying', done: 8_000, total: 22_715, running: true }),
    rule_backtest: ({ change }) => ({ events: 22_715, truncated: false, against: 'present', findings_before: 40, findings_after: 31, incidents_before: 20, incidents_after: 19, findings_hidden: 0, rules: change === null ? [] : [{ rule_id: change.id, findings_before: 15, findings_after: 9, incidents_before: 3, incidents_after: 2 }], problems: [] }),
    rule_feedback: () => ({ rules: empty ? [] : [{ rule_id: 'wp.brute.source', incidents: 12, true_positive: 3, false_positive: 5, benign_true_positive: 1, judged: 9, precision: 1 / 3, advice: 'tune' }] }),
    rule_try: ({ text }) =>
      text.startsWith('{') ? refuse('validation', 'not JSON: expected value') : { tried_as: 'value', fields: [{ field: 'http.query.value', layers: [{ decoder: 'raw', text, span: null }, { decoder: 'percent', text: decodeURIComponent(text), span: null }] }], findings: [] },
    suppression_list: () => ({ rows: suppressions, in_force: suppressions.filter((row) => row.removed_at === null).length }),
    suppression_preview: ({ scope }) => ({ findings: 1_217, findings_hidden: scope.entity === undefined ? 73 : 12, incidents_hidden: 2, incidents_smaller: 1, true_positives_hidden: scope.entity === undefined ? 1 : 0, samples: [] }),
    suppression_add: ({ scope, owner, reason, expires_at }) => {
      const made: Suppression = { id: crypto.randomUUID(), scope, owner: owner ?? 'mara', reason, created_at: iso(Date.now()), created_by: 'mara', expires_at, removed_at: null, removed_by: null, hidden: 0, last_hidden: null };
      suppressions = [made, ...suppressions];
      return made;
    },
    suppression_remove: ({ id }) => {
      const found = suppressions.find((row) => row.id === id) ?? refuse('not_found', 'there is no such suppression');
      const removed = { ...found, removed_at: iso(Date.now()), removed_by: 'mara' };
      suppressions = suppressions.map((row) => (row === found ? removed : row));
      return removed;
    },
    suppression_findings: () => ({ rows: [], next: null }),
    contain_list: ({ kind, target, limit }) => {
      const found = containments.filter((one) => one.state === 'active' && (kind.length === 0 || kind.includes(one.kind)) && (target === undefined || one.target === target));
      return { containments: found.slice(0, limit).map((containment) => ({ containment, incident: null, redis_ttl_s: 3_600 })), total: found.length };
    },
    contain_preview: ({ kind, target }) => ({ kind, target, key: `security:revoked:${kind}:${target}`, refusal: target === 'root' ? 'root is a protected user of the policy' : null, events_24h: 41, sessions_24h: 2, users_24h: kind === 'user' ? [] : ['mara'], existing: null }),
    contain_add: ({ kind, target, reason, ttl_s, per_min }) => {
      const made: Containment = { id: crypto.randomUUID(), kind, target, per_min, reason, created_by: 'mara', created_at: iso(Date.now()), expires_at: iso(Date.now() + ttl_s * 1_000), state: 'active', removed_at: null, removed_by: null, incident: null };
      containments = [made, ...containments];
      return made;
    },
    contain_remove: ({ id }) => {
      const found = containments.find((one) => one.id === id) ?? refuse('not_found', 'there is no such containment');
      const removed: Containment = { ...found, state: 'removed', removed_at: iso(Date.now()), removed_by: 'mara' };
      containments = containments.map((one) => (one === found ? removed : one));
      return removed;
    },
    response_policy_get: () => ({ policy, effective: policy.mode, detail: '' }),
    response_policy_put: (request) => {
      policy = request.policy;
      return { policy, effective: policy.mode, detail: '' };
    },
    response_preview: () => ({ from: iso(Date.now() - 168 * HOUR), to: iso(Date.now()), findings: 1_217, matched: 532, done: 5, skipped: 1, by_action: [{ action: 'block_ip', done: 5, skipped: 1 }], rows: [] }),
    response_list: () => ({ rows: [], next: null }),
    entity_risk_top: ({ kind, limit }) => riskTop(kind, limit, empty),
    entity_risk_show: ({ entity }) => ({ risk: { ...risk(entity.kind, entity.value, 64.5) }, contributions: [{ incident: 78, title: 'SQL injection', family: 'sqli', verdict: 'unjudged', counts: true, points: 96, at: iso(Date.now() - HOUR), left: 74.7 }], history: { true_positives: 1, harmless: 2 }, course: Array.from({ length: 121 }, (_, index) => ({ at: iso(Date.now() - (120 - index) * 6 * HOUR), score: index < 100 ? 0 : 64.5 })), first_seen: iso(Date.now() - 400 * HOUR), last_seen: iso(Date.now() - HOUR), place: { country: 'NL', org: 'Example Hosting' }, has_location_data: true, threats: [], assets: [], policy: { half_life_h: 24 }, at: iso(Date.now()) }),
    block_check: ({ target }) => ({ target, standing: 'clear', detail: '', block: null, key: null, redis_ttl_s: null, in_redis: null, allow: null, inside_total: 0, inside: [] }),
    baseline_generate: ({ period }) => ({ version: 1, from: period.from, to: period.to, events: 22_297, users: [], endpoints: [] }),
    baseline_compare: ({ before, period }) => ({ before: [before.from, before.to], after: [period.from, period.to], events: [before.events, 4_294], drifts: [{ entity: { kind: 'user', value: 'eve<script>' }, kind: 'agents', before: 'Firefox', after: 'also sqlmap\u0007', values: [{ kind: 'values', values: ['Firefox'] }, { kind: 'values', values: ['sqlmap\u0007'] }], size: 1, fell: false }] }),
  } satisfies Answers;
}
