// Connections, settings, reports and the audit trail of the made-up workspace.

import type { AuditDetail, AuditPage, AuditPageRequest, AuditRecord, AuditRef, Change, Connection, ConnectionCheck, ConnectionList, ControlResult, ReportDocument, ReportRecord, ReportSchedule, Settings } from '$ui/generated/model';
import type { ControlState } from '$ui/domain/report/document';
import { Random } from './random';
import { CONNECTION } from './workspace';

export const LOCAL: Connection = {
  id: '0190b3c4-0000-7000-8000-000000000000',
  name: 'local',
  redis: { address: { kind: 'local' }, username: null, database: 0, prefix: 'security:' },
  database: { kind: 'sqlite', path: null },
  production: false,
  observe: false,
};

const STAGING: Connection = {
  id: '0190b3c4-0000-7000-8000-000000000002',
  name: 'shop-staging',
  redis: { address: { kind: 'unix', path: '/run/redis/staging.sock' }, username: null, database: 2, prefix: 'security:' },
  database: { kind: 'sqlite', path: '/var/lib/watchpost/staging.db' },
  production: false,
  observe: false,
};

export function connectionList(): ConnectionList {
  return { connections: [LOCAL, CONNECTION, STAGING], active: CONNECTION.id, secrets: 'ready', secrets_detail: '' };
}

export const CHECK: ConnectionCheck = {
  ok: false,
  redis: [
    { name: 'resolve', title: 'Resolve the name', state: 'ok', detail: 'redis.shop.example is 10.0.4.12', hint: null },
    { name: 'connect', title: 'Open a connection', state: 'ok', detail: '10.0.4.12:6379 in 1.2 ms', hint: null },
    { name: 'tls', title: 'Agree on TLS', state: 'warning', detail: 'TLS 1.3; the certificate ends in 9 days', hint: 'Renew the certificate of the server before 2026-11-29.' },
    { name: 'auth', title: 'Sign in', state: 'failed', detail: 'WRONGPASS for user “watchpost”', hint: 'The user exists and the password is another one. ACL users: ask for ACL GETUSER watchpost.' },
    { name: 'rights', title: 'Check the rights', state: 'skipped', detail: '', hint: null },
  ],
  database: [
    { name: 'connect', title: 'Open a connection', state: 'ok', detail: 'PostgreSQL 15.8 in 3.1 ms', hint: null },
    { name: 'schema', title: 'Check the schema', state: 'ok', detail: 'version 20261101120000, up to date', hint: null },
    { name: 'write', title: 'Write and roll back', state: 'ok', detail: '2.0 ms', hint: null },
  ],
  acl: [{ purpose: 'observe', title: 'Only look', line: "ACL SETUSER watchpost resetkeys resetchannels -@all '~security:*' +ping +scan +info" }],
};

export const SETTINGS: Settings = {
  organisation: 'Example Shop GmbH',
  retention: [
    { category: 'authentication', redis_days: 7, archive_days: 90 },
    { category: 'authorization', redis_days: 30, archive_days: 365 },
    { category: 'data_access', redis_days: 30, archive_days: 365 },
    { category: 'configuration', redis_days: 30, archive_days: 365 },
    { category: 'api_usage', redis_days: 1, archive_days: 30 },
  ],
};

const CONTROLS: readonly (readonly [string, string, ControlState, number, number])[] = [
  ['CC2.1', 'The information used is complete', 'warn', 2, 30],
  ['CC4.1', 'The controls themselves are checked', 'pass', 0, 4],
  ['CC5.2', 'Technology controls keep a confirmed history', 'pass', 0, 412],
  ['CC6.1', 'Access is limited to known people', 'pass', 0, 18_204],
  ['CC6.2', 'People are registered and approved before they get in', 'manual', 0, 0],
  ['CC6.3', 'Rights are enforced as granted', 'no_data', 0, 0],
  ['CC6.6', 'Attacks from outside are stopped', 'pass', 1, 38],
  ['CC6.8', 'Harmful input is found and dealt with', 'pass', 0, 61],
  ['CC7.2', 'Anomalies are noticed in time', 'fail', 9, 134],
  ['CC7.3', 'Security events are judged', 'warn', 6, 134],
  ['CC7.4.1', 'Serious incidents have an owner and a response', 'pass', 0, 22],
  ['CC7.4.2', 'Containment is justified and temporary', 'pass', 0, 30],
  ['CC7.5', 'Lessons are drawn from serious incidents', 'manual', 0, 0],
  ['CC8.1', 'Changes are made through recorded operations', 'pass', 0, 77],
];

function control([id, title, state, exceptions, population]: (typeof CONTROLS)[number]): ControlResult {
  const manual = state === 'manual';
  const reason = state === 'pass' ? 'No exception.' : manual ? 'Data cannot show it.' : state === 'no_data' ? 'No event of this kind was recorded in the period.' : `${exceptions} of ${population} incidents were acknowledged late; at most 5 % are tolerated.`;
  return {
    id,
    title,
    text: 'Every incident is acknowledged within the time of its severity: critical 15 min, high 4 h, medium 24 h, low 7 d.',
    state,
    reason,
    population,
    warnings: 0,
    exceptions,
    checks: manual
      ? []
      : [
          {
            what: '',
            query: 'incidents_acknowledged',
            parameters: [],
            state,
            reason,
            rule: 'Pass with at most 2 % exceptions; warn with at most 5 % exceptions; else fail.',
            population,
            warnings: 0,
            exceptions,
            basis: 'Incidents opened in the period; late means acknowledged after acknowledge_due, or not yet and due.',
            text: 'SELECT COUNT(*) FROM incident i WHERE i.first_seen >= :from AND i.first_seen < :to',
            columns: exceptions === 0 ? [] : ['Incident', 'Severity', 'Opened', 'Acknowledged', 'Late by'],
            rows: Array.from({ length: exceptions }, (_, index) => [`#${index * 7 + 3}`, index % 2 === 0 ? 'high' : 'critical', '2026-11-12 04:11', '2026-11-12 09:40', '1 h 29 min']),
            sample: { seed: '9b74'.repeat(16), positions: population > 1 ? [0, 1] : [], columns: ['Incident'], rows: population > 1 ? [['#3'], ['#10']] : [] },
          },
        ],
    remedy: exceptions === 0 ? '' : 'Look at the rows: if the night shift is the pattern, route critical incidents to the on-call phone.',
    attest: manual ? 'A named person confirms that accounts of people who left in the period were closed, with the list attached.' : null,
    proofs: [],
  };
}

export function makeReport(id: string, period: { from: string; to: string }): ReportDocument {
  const controls = CONTROLS.map(control);
  const of = (state: ControlState): number => controls.filter((one) => one.state === state).length;
  const none = { start: period.from, bucket_s: 3_600, series: [] };
  return {
    format: 2,
    kind: id === 'kpi' ? 'kpi' : 'framework',
    title: id === 'kpi' ? 'Key figures of incident handling' : `${id === 'soc2' ? 'SOC 2' : 'PCI DSS'} evidence report`,
    parameters: [],
    gaps: id === 'kpi' ? [] : controls.filter((one) => one.state === 'manual').map((one) => ({ control: one.id, lacks: 'No file and no statement of a person that counts in the period.', remedy: one.attest ?? '' })),
    sections: id === 'kpi' ? [{ title: 'Key figures', text: ['Incidents whose first evidence lies in the period.'], figures: [{ name: 'Time to resolve, median', value: '4 h 05 min' }], caption: 'Times as median / p90', columns: ['severity', 'to resolve'], rows: [['high', '4 h 05 min / 9 h 40 min']] }] : [],
    charts: { authentication: none, by_category: none, incidents_by_severity: [], incidents_by_age: [], by_hour: [] },
    framework: {
      id,
      name: id === 'soc2' ? 'SOC 2' : 'PCI DSS',
      version: id === 'soc2' ? 'Trust Services Criteria 2017 (points of focus 2022), file edition 1' : '4.0.1, file edition 1',
      note: 'Operating evidence from security monitoring, incident handling and the audit trail of Watchpost for the period named. It supports an examination and does not replace one.',
    },
    scope: {
      organisation: SETTINGS.organisation,
      workspace: 'shop-production',
      period,
      generated_at: new Date().toISOString(),
      generated_by: 'mara',
      generator: 'Watchpost 0.1.0',
      log: { id: 'shop-production', size: 4_812, root: 'b1946ac92492d2347c6235b4d2611184b1946ac92492d2347c6235b4d2611184' },
      sources: ['Redis 7.0.15 at redis.shop.example:6379', 'PostgreSQL 15.8 at db.shop.example:5432'],
    },
    summary: { pass: of('pass'), warn: of('warn'), fail: of('fail'), no_data: of('no_data'), manual: of('manual') },
    controls: id === 'kpi' ? [] : controls,
  };
}

export function makeSchedules(): ReportSchedule[] {
  const at = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();
  const last = (error: string | null) => ({ at: at(-20), period: { from: at(-51), to: at(-21) }, report: error === null ? '0190b3c4-7a11-7c3e-9d2b-6f1e5a0c4d21' : null, error });
  const made = { subject: null, archive: true, made_by: 'mara', made_at: at(-90), paused: false };
  return [
    { ...made, id: '0190b3c4-7a11-7c3e-9d2b-000000000001', framework: 'soc2', cadence: 'monthly', formats: ['pdf', 'csv', 'json'], folder: '/srv/reports/soc2', due_at: at(10), last: last(null) },
    { ...made, id: '0190b3c4-7a11-7c3e-9d2b-000000000002', framework: 'kpi', cadence: 'weekly', formats: ['pdf'], folder: '/mnt/share/weekly', due_at: at(3), last: last('cannot make the folder /mnt/share/weekly: Permission denied (os error 13)') },
  ];
}

export function makeReports(): ReportRecord[] {
  const random = new Random(21);
  return (['2026-10', '2026-09', '2026-08'] as const).map((month, index) => ({
    id: random.uuid(),
    framework: index === 1 ? 'pci-dss' : 'soc2',
    period: { from: `${month}-01T00:00:00.000Z`, to: new Date(Date.UTC(2026, 10 - index, 1)).toISOString() },
    made_at: new Date(Date.UTC(2026, 10 - index, 2, 8, 14)).toISOString(),
    made_by: 'mara',
    content_sha256: random.sha256(),
    summary: index === 0 ? '8 pass, 2 warn, 1 fail, 1 no data, 2 manual' : '11 pass, 1 warn, 0 fail, 0 no data, 2 manual',
    worst: index === 0 ? 'fail' : 'warn',
    subject: null,
    status: index === 0 ? ('draft' as const) : ('final' as const),
    approval: null,
    supersedes: null,
    files: (['pdf', 'csv'] as const).map((format) => ({ format, path: `/home/mara/Reports/watchpost-soc2-${month}.${format}`, sha256: random.sha256(), bytes: random.int(20_000, 600_000) })),
  }));
}

type Sample = readonly [action: string, object: string, permission: string, changes: readonly Change[]];

const ACTIONS: readonly [Sample, ...Sample[]] = [
  ['incident_resolve', 'incident/42', 'triage', [{ field: 'status', old: 'investigating', new: 'resolved' }, { field: 'verdict', old: 'unjudged', new: 'true_positive' }]],
  ['block_add', 'block/203.0.113.77', 'contain', [{ field: 'state', old: null, new: 'active' }, { field: 'expires_at', old: null, new: '2026-11-21T23:04:05Z' }]],
  ['incident_take', 'incident/117', 'triage', [{ field: 'assignee', old: null, new: 'mara' }]],
  ['retention_run', 'job/0190b3c4', 'maintain', []],
  ['settings_put', 'settings', 'admin', [{ field: 'retention.api_usage.redis_days', old: 3, new: 1 }]],
  ['report_generate', 'report/soc2', 'report', [{ field: 'files', old: null, new: ['pdf', 'csv'] }]],
  ['audit_verify', 'audit', 'audit', []],
];

function makeTrail(size: number): AuditRecord[] {
  const random = new Random(31);
  const now = Date.now();
  return Array.from({ length: size }, (_, index) => {
    const [action, object, permission, changes] = random.pick(ACTIONS);
    const outcome = random.next() < 0.9 ? 'success' : random.pick(['failure', 'denied', 'started'] as const);
    return {
      seq: size - 1 - index,
      at: new Date(now - index * 412_000).toISOString(),
      actor: random.pick(['mara', 'jonas', 'engine'] as const),
      origin: random.pick(['window', 'cli', 'engine'] as const),
      host: 'console-3',
      action,
      object,
      permission,
      outcome,
      changes: outcome === 'success' ? changes.map((change) => ({ ...change })) : [],
      reason: outcome === 'success' ? (action === 'incident_resolve' ? 'Attack confirmed, source blocked' : null) : 'the role “viewer” may not do this',
      risk: random.pick([0, 5, 10, 20, 40] as const),
      leaf_hash: random.sha256(),
    };
  });
}

let trail: AuditRecord[] | undefined;

export function auditShow({ seq }: AuditRef): AuditDetail {
  trail ??= makeTrail(4_812);
  const record = trail.find((one) => one.seq === seq);
  if (record === undefined) {
    const error: unknown = { code: 'not_found', message: `there is no audit record ${seq}` };
    throw error;
  }
  return { record, leaf: '{}', covered_by: 4_806, erased_by: null };
}

export function auditPage({ filter, before, limit }: AuditPageRequest): AuditPage {
  trail ??= makeTrail(4_812);
  const words = filter.text?.toLowerCase() ?? '';
  const found = trail.filter(
    (record) =>
      (before === null || record.seq < before) &&
      (filter.actor === null || record.actor === filter.actor) &&
      (filter.action === null || record.action === filter.action) &&
      (filter.outcome === null || record.outcome === filter.outcome) &&
      `${record.action} ${record.object} ${record.actor} ${record.reason ?? ''}`.toLowerCase().includes(words),
  );
  const rows = found.slice(0, limit);
  return {
    rows,
    next: found.length > limit ? (rows.at(-1)?.seq ?? null) : null,
    size: trail.length,
    uncovered: 6,
    checkpoint: {
      size: 4_806,
      root: 'sZRqySSS0jR8YjW00mERhLGUasklEtI0fGI1tNJhEYQ=',
      at: new Date(Date.now() - 310_000).toISOString(),
      note: 'watchpost/shop-production\n4806\nsZRqySSS0jR8YjW00mERhLGUasklEtI0fGI1tNJhEYQ=\n\n— watchpost/shop-production 9JYHpQnOaEk3bV0sX3xwYk0yQ2Zl8m1tq5mXk0cW1xqk2nQbWnq0Zl8m1tq5mXk0cW1xqk2nQbWnq0Zg==\n',
      key_name: 'watchpost/shop-production',
    },
  };
}
