// Incidents of a made-up shop, for looking at the user interface during development.

import type {
  AttackFamily,
  Entity,
  Event,
  Evidence,
  Finding,
  Incident,
  IncidentDetail,
  Severity,
  Status,
  Verdict,
} from '$ui/generated/model';
import { Random } from './random';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const SLA: Record<Severity, [number, number]> = {
  critical: [15 * MINUTE, 4 * HOUR],
  high: [4 * HOUR, 24 * HOUR],
  medium: [24 * HOUR, 72 * HOUR],
  low: [168 * HOUR, 720 * HOUR],
  info: [168 * HOUR, 720 * HOUR],
};

interface Attack {
  family: AttackFamily;
  title: (entity: string) => string;
  severity: readonly [Severity, ...Severity[]];
  attack: string[];
  rule: string;
  ruleTitle: string;
}

const ATTACKS: readonly [Attack, ...Attack[]] = [
  { family: 'brute_force', title: (e) => `Brute force from ${e}`, severity: ['high', 'medium', 'high'], attack: ['T1110.001'], rule: 'wp.auth.brute_force', ruleTitle: 'Many failed logins from one source' },
  { family: 'sqli', title: (e) => `SQL injection from ${e}`, severity: ['critical', 'critical', 'high'], attack: ['T1190'], rule: 'wp.sqli.union_select', ruleTitle: 'UNION SELECT in a parameter' },
  { family: 'traversal', title: (e) => `Path traversal from ${e}`, severity: ['high', 'medium'], attack: ['T1083', 'T1190'], rule: 'wp.traversal.dotdot', ruleTitle: 'Parent directories in a path' },
  { family: 'xss', title: (e) => `Cross-site scripting from ${e}`, severity: ['medium', 'medium', 'high'], attack: ['T1059.007'], rule: 'wp.xss.script_tag', ruleTitle: 'Script element in a parameter' },
  { family: 'cmdi', title: (e) => `Command injection from ${e}`, severity: ['critical', 'high'], attack: ['T1059.004'], rule: 'wp.cmdi.shell_meta', ruleTitle: 'Shell command in a parameter' },
  { family: 'excessive_requests', title: (e) => `Excessive requests from ${e}`, severity: ['low', 'medium'], attack: ['T1499.002'], rule: 'wp.rate.source', ruleTitle: 'More requests than a person makes' },
  { family: 'scanner', title: (e) => `Scanning from ${e}`, severity: ['low', 'info', 'low'], attack: ['T1595.002'], rule: 'wp.scanner.agent', ruleTitle: 'User agent of a scanner' },
];

const PEOPLE = ['Mara Lindqvist', 'Teo Okafor', 'jana.k', null, null, null] as const;

function address(random: Random): string {
  if (random.next() < 0.12) return `2001:db8:${random.int(16, 65_000).toString(16)}::${random.int(1, 65_000).toString(16)}`;
  return `${random.pick(['203.0.113', '198.51.100', '192.0.2', '45.155.205', '185.220.101', '91.92.243'])}.${random.int(1, 254)}`;
}

export function makeIncidents(now: number, n: number): Incident[] {
  const random = new Random(23);
  const made: Incident[] = [];
  for (let number = n; number >= 1; number -= 1) {
    const attack = random.pick(ATTACKS);
    const severity = random.pick(attack.severity);
    const opened = now - (n - number + random.next()) * random.next() * 9 * HOUR * 0.55 - (n - number) * 18 * MINUTE;
    const age = now - opened;
    const status: Status =
      age < 5 * HOUR
        ? random.pick(['open', 'open', 'open', 'investigating'])
        : age < 30 * HOUR
          ? random.pick(['open', 'investigating', 'contained', 'resolved', 'resolved', 'reopened', severity === 'critical' ? 'contained' : 'closed'])
          : random.pick(['resolved', 'resolved', 'closed', 'closed', 'closed', 'closed', 'investigating']);
    const done = status === 'resolved' || status === 'closed';
    const verdict: Verdict = done ? random.pick(['true_positive', 'true_positive', 'false_positive', 'benign_true_positive', 'duplicate']) : 'unjudged';
    const entity: Entity = attack.family === 'brute_force' && random.next() < 0.25 ? { kind: 'user', value: random.pick(['root', 'admin', 'oracle', 'svc-backup\u202egpj.exe']) } : { kind: 'ip', value: address(random) };
    const events = random.int(1, attack.family === 'brute_force' ? 4_800 : 260);
    const [acknowledge, resolve] = SLA[severity];
    const acknowledged = status === 'open' ? null : new Date(opened + random.next() * acknowledge * 1.2).toISOString();
    made.push({
      id: random.uuid(),
      number,
      title: attack.title(entity.value),
      family: attack.family,
      entity,
      severity,
      confidence: random.int(55, 98),
      risk: random.int(20, 96),
      status,
      verdict,
      verdict_reason: done ? 'Attack confirmed, had no effect' : null,
      assignee: status === 'open' ? null : random.pick(PEOPLE),
      finding_count: Math.max(1, Math.round(events * 0.7)),
      event_count: events,
      first_seen: new Date(opened - random.int(1, 40) * MINUTE).toISOString(),
      last_seen: new Date(Math.min(now - random.int(4, 900) * 1_000, opened + random.int(1, 300) * MINUTE)).toISOString(),
      opened_at: new Date(opened).toISOString(),
      acknowledged_at: acknowledged,
      resolved_at: done ? new Date(opened + random.next() * resolve).toISOString() : null,
      acknowledge_due: new Date(opened + acknowledge).toISOString(),
      resolve_due: new Date(opened + resolve).toISOString(),
      attack: attack.attack,
      version: 1,
    });
  }
  return made;
}

const RAW_QUERY = 'id=42%2527%20UNION%2520SELECT%20username%2C%20password%20FROM%20users--&page=2';
const ONCE = "id=42%27 UNION%20SELECT username, password FROM users--&page=2";
const TWICE = "id=42' UNION SELECT username, password FROM users--&page=2";

function spanOf(text: string, part: string): [number, number] | null {
  const at = text.indexOf(part);
  return at < 0 ? null : [at, at + part.length];
}

function finding(incident: Incident, random: Random): Finding {
  const spec = ATTACKS.find((attack) => attack.family === incident.family) ?? ATTACKS[0];
  const behavioural = incident.family === 'brute_force' || incident.family === 'excessive_requests';
  return {
    id: random.uuid(),
    rule_id: spec.rule,
    rule_version: 3,
    rule_title: spec.ruleTitle,
    family: incident.family,
    event_id: random.uuid(),
    at: incident.last_seen,
    entity: incident.entity,
    summary: behavioural
      ? `${incident.event_count} failed logins of 14 users within 5 minutes, 10 are enough.`
      : 'The parameter id closes a string and appends UNION SELECT, percent-encoded twice.',
    matched: behavioural
      ? null
      : {
          field: 'http.query',
          layers: [
            { decoder: 'raw', text: RAW_QUERY, span: spanOf(RAW_QUERY, '%2527%20UNION%2520SELECT%20username%2C%20password%20FROM') },
            { decoder: 'percent', text: ONCE, span: spanOf(ONCE, '%27 UNION%20SELECT username, password FROM') },
            { decoder: 'percent', text: TWICE, span: spanOf(TWICE, "' UNION SELECT username, password FROM") },
          ],
        },
    counter: behavioural ? { what: 'failed logins', seen: incident.event_count, threshold: 10, window_s: 300 } : null,
    severity: incident.severity,
    confidence: incident.confidence,
    risk: incident.risk,
    attack: incident.attack,
    owasp: behavioural ? 'A07:2025' : 'A05:2025',
    controls: ['PCI DSS 6.4.2', 'ISO 27001 A.8.16', 'SOC 2 CC7.2'],
  };
}

function event(incident: Incident, at: number, random: Random, index: number): Event {
  const login = incident.family === 'brute_force';
  return {
    id: random.uuid(),
    at: new Date(at).toISOString(),
    category: login ? 'authentication' : 'api_usage',
    type: login ? 'login_failure' : 'request',
    severity: incident.severity,
    outcome: 'failure',
    actor: login ? random.pick(['root', 'admin', 'test', 'postgres', 'mara']) : null,
    source_ip: incident.entity.kind === 'ip' ? incident.entity.value : '203.0.113.77',
    session: null,
    resource: login ? 'sshd' : '/shop/item',
    action: login ? 'password' : null,
    count: index === 0 && login ? 5 : 1,
    http: login
      ? null
      : { method: 'GET', path: '/shop/item', query: RAW_QUERY, headers: { 'user-agent': 'sqlmap/1.8#stable (https://sqlmap.org)', host: 'shop.example', accept: '*/*' }, body: null, response_headers: {}, response_body: null, status: 500, bytes: 5_120, duration_ms: 41 },
    details: login ? { port: 48_213, method: 'password', note: 'line\u0000two' } : null,
    tags: ['web-01'],
    risk: null,
  };
}

export function makeDetail(incident: Incident): IncidentDetail {
  const random = new Random(incident.number);
  const shown = Math.min(incident.event_count, 60);
  const last = new Date(incident.last_seen).getTime();
  const evidence = Array.from({ length: shown }, (_, index): Evidence => ({
    event: event(incident, last - index * 7_300, random, index),
    sha256: random.sha256(),
    findings: index % 3 === 0 ? [finding(incident, random)] : [],
  }));
  const timeline = [
    { at: incident.opened_at, actor: 'engine', kind: 'opened', text: `Opened by rule ${finding(incident, new Random(1)).rule_id} v3` },
    { at: incident.last_seen, actor: 'engine', kind: 'finding', text: `${incident.finding_count} findings folded in` },
  ];
  if (incident.acknowledged_at !== null) timeline.push({ at: incident.acknowledged_at, actor: incident.assignee ?? 'mara', kind: 'status', text: 'Open → investigating' });
  if (incident.resolved_at !== null) timeline.push({ at: incident.resolved_at, actor: incident.assignee ?? 'mara', kind: 'verdict', text: `Resolved as ${incident.verdict}: ${incident.verdict_reason ?? ''}` });
  return {
    incident,
    why: [
      { count: incident.finding_count, newest: finding(incident, random) },
      ...(incident.severity === 'critical' ? [{ count: 3, newest: { ...finding(incident, random), rule_id: 'wp.sqli.error_probe', rule_title: 'Database error provoked by a quote', summary: 'The answer holds a PostgreSQL syntax error.' } }] : []),
    ],
    evidence,
    event_rows: incident.event_count,
    entities: [
      { entity: incident.entity, events: incident.event_count },
      { entity: { kind: 'endpoint', value: '/shop/item' }, events: Math.round(incident.event_count * 0.8) },
      { entity: { kind: 'user', value: 'root' }, events: Math.round(incident.event_count * 0.3) },
      { entity: { kind: 'session', value: 's-91f2c7' }, events: 2 },
    ],
    entity_rows: 4,
    notes: incident.acknowledged_at === null ? [] : [{ id: random.uuid(), author: 'Mara Lindqvist', at: incident.acknowledged_at, text: 'Same scanner as on Tuesday. WAF let the double encoding through; ticket OPS-1182.' }],
    earlier_notes: null,
    timeline,
    earlier_timeline: null,
    related: [],
    pauses: [],
    checks: [],
    risk: [],
  };
}
