// The answers of the panels beside overview and incidents.

import type { AuditPlaces, JobPlanState, PlannedJob, RecordRule, ReportSchedule, SecretsFileState, WindowLock } from '$ui/generated/model';
import type { Answers } from '../fake';
import { DemoApprovals } from './approvals';
import { roleList } from './roles';
import { DemoBlocks } from './blocks';
import { AUDIT_KEY, AUDIT_ROOT, auditTrust } from './audit';
import { auditPage, auditShow, CHECK, connectionList, makeReport, makeReports, makeSchedules, SETTINGS } from './console';
import { makeHealth, makeLines, makeHistory, makePatterns, makeQuarantine } from './health';
import { AGGREGATE_REPORT, BACKUP_REPORT, BENCHMARK_REPORT, EXPORT_REPORT, makeRuns, OPTIMIZE_REPORT, RESTORE_REPORT, RETENTION_REPORT, REVERT_REPORT, started } from './jobs';
import { COPIES, makePlan } from './plan';
import { DemoPrivacy } from './privacy';
import { CONNECTION } from './workspace';

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export function panelAnswers(empty: boolean) {
  const blocks = new DemoBlocks(empty);
  let runs = empty ? [] : makeRuns();
  let reports = empty ? [] : makeReports();
  let schedules: ReportSchedule[] = empty ? [] : makeSchedules();
  const privacy = new DemoPrivacy(empty);
  const approvals = new DemoApprovals(empty);
  let settings = SETTINGS;
  let secretsFile: SecretsFileState = { path: '/home/mara/.config/watchpost/secrets.age', used: false, state: null, passphrase_file: null };
  let windowLock: WindowLock = { minutes: 15, locked: false, wait_s: 0, detail: '' };
  let plan: JobPlanState = makePlan(empty);
  let keyDays = 365;
  let recordRules: RecordRule[] = (['security', 'access', 'privacy', 'reads', 'maintenance'] as const).map((name) => ({ class: name, years: 7 }));
  let places: AuditPlaces = { folders: ['/mnt/vault/watchpost'], redis: true };
  const begin = (...of: Parameters<typeof started>) => {
    const run = started(...of);
    runs = [run, ...runs];
    return run;
  };
  const answers = {
    redis_health: () => (empty ? { ...makeHealth(), slowlog: [] } : makeHealth()),
    redis_history: makeHistory,
    redis_patterns: async () => {
      await wait(200);
      return empty ? { ...makePatterns(), patterns: [] } : makePatterns();
    },
    quarantine_list: () => (empty ? { rows: [] } : makeQuarantine()),
    block_list: (request) => blocks.list(request),
    block_add: ({ target, reason, ttl_s, incident }) => {
      const now = Date.now();
      const at = (time: number): string => new Date(time).toISOString();
      return blocks.add({ id: crypto.randomUUID(), target, reason, created_by: 'mara', created_at: at(now), expires_at: at(now + ttl_s * 1_000), state: 'active', removed_at: null, removed_by: null, incident: null }, incident);
    },
    block_remove: ({ id }) => blocks.remove(id),
    allow_add: ({ target, note }) => blocks.allow(target, note),
    allow_remove: ({ target }) => blocks.disallow(target),
    job_list: () => ({ runs }),
    job_plan: () => plan,
    database_copies: () => COPIES,
    database_copy_run: () => begin('database_backup', 'to /var/backups/watchpost'),
    database_rehearse_run: () => begin('database_rehearsal', 'of the newest copy'),
    job_plan_put: ({ plan: wanted }) => {
      const state = (job: PlannedJob) => ({ kind: job.kind, next: job.on ? { from: '2026-11-22T02:00:00Z', to: '2026-11-22T05:00:00Z' } : null, missed_since: null, last: null });
      plan = { plan: wanted, open: null, jobs: wanted.jobs.map(state) };
      return plan;
    },
    job_cancel: ({ id }) => {
      runs = runs.map((run) => (run.id === id ? { ...run, state: 'cancelled', ended_at: new Date().toISOString() } : run));
      const found = runs.find((run) => run.id === id);
      if (found === undefined) throw new Error('there is no such job');
      return found;
    },
    retention_preview: async () => {
      await wait(300);
      return RETENTION_REPORT;
    },
    retention_run: ({ days }) => begin('retention', days === null ? 'policy days' : `days ${days}`),
    optimize_preview: ({ revert }) => (revert ? REVERT_REPORT : OPTIMIZE_REPORT),
    optimize_run: ({ revert }) => begin('optimize', revert ? 'revert' : ''),
    export_preview: () => EXPORT_REPORT,
    export_run: ({ path, format }) => begin('export', `${format} to ${path}`),
    backup_preview: () => BACKUP_REPORT,
    backup_run: ({ path }) => begin('backup', `to ${path}`),
    restore_preview: () => RESTORE_REPORT,
    restore_run: ({ path, rehearse_only }) => begin('restore', rehearse_only ? `rehearsal of ${path}` : `from ${path}`),
    cleanup_preview: () => RETENTION_REPORT,
    cleanup_run: () => begin('cleanup', 'policy'),
    aggregate_preview: () => AGGREGATE_REPORT,
    aggregate_run: () => begin('aggregate', 'last 30 days'),
    benchmark_preview: () => BENCHMARK_REPORT,
    benchmark_run: ({ ops }) => begin('benchmark', `${ops} operations a step`),
    import_run: ({ path, format }) => {
      if (!path.startsWith('/')) {
        const error: unknown = { code: 'validation', message: `there is no file ${path}`, field: 'path', hint: 'give the whole path, beginning with a slash' };
        throw error;
      }
      return begin('import', `${path}, ${format}`);
    },
    simulate_run: ({ days, seed }) => begin('simulate', `${days} days, seed ${seed}`),
    report_frameworks: () => ({
      frameworks: [
        { id: 'soc2', name: 'SOC 2', version: 'Trust Services Criteria 2017 (points of focus 2022), file edition 2', controls: 20, kind: 'framework', subject: null, about: 'Operating evidence.' },
        { id: 'pci-dss', name: 'PCI DSS', version: '4.0.1, file edition 2', controls: 12, kind: 'framework', subject: null, about: 'Operating evidence.' },
        { id: 'kpi', name: 'Key figures of incident handling', version: '', controls: 0, kind: 'kpi', subject: null, about: 'How fast incidents were handled.' },
        { id: 'incident', name: 'Incident report', version: '', controls: 0, kind: 'incident', subject: 'the number of the incident', about: 'One incident, complete.' },
      ],
      broken: [],
      folder: '/home/mara/.config/watchpost/frameworks',
    }),
    report_preview: async ({ framework, period }) => {
      await wait(400);
      return makeReport(framework, period);
    },
    report_names: ({ framework, formats, folder }) => ({ files: formats.map((format) => ({ format, path: `${folder.replace(/\/$/, '')}/${framework}-2.${format === 'markdown' ? 'md' : format}`, replace: false })) }),
    report_generate: ({ framework, period, files }) => {
      const made = { id: crypto.randomUUID(), framework, period, made_at: new Date().toISOString(), made_by: 'mara', content_sha256: 'b1946ac92492d2347c6235b4d2611184'.repeat(2), summary: '8 pass, 2 warn, 1 fail, 1 no data, 2 manual', worst: 'fail', subject: null, status: 'draft' as const, approval: null, supersedes: null, files: files.map((file) => ({ ...file, sha256: '591785b794601e212b260e25925636fd'.repeat(2), bytes: 182_044 })), proof: null };
      reports = [made, ...reports];
      return made;
    },
    report_progress: () => ({ step: 'charts', done: 3, total: 24, running: true }),
    report_cancel: () => ({ step: 'charts', done: 3, total: 24, running: true }),
    report_comment_list: () => ({ comments: [], left_out: 0 }),
    report_comment_withdraw: ({ id }) => ({ id, framework: 'soc2', control: 'CC6.1', row: [], text: 'Withdrawn', by: 'mara', at: new Date().toISOString() }),
    report_comment_add: ({ framework, control, row, text }) => ({ id: crypto.randomUUID(), framework, control, row, text, by: 'mara', at: new Date().toISOString() }),
    report_list: () => ({ reports, total: reports.length }),
    report_approve: ({ id, note }) => {
      const found = reports.find((report) => report.id === id);
      if (found === undefined) throw new Error('no such report');
      if (found.made_by === 'mara') {
        const error: unknown = { code: 'precondition', message: 'a second person approves: you made it' };
        throw error;
      }
      const approved = { ...found, status: 'final' as const, approval: { by: 'mara', at: new Date().toISOString(), note, signed_note: null } };
      reports = reports.map((report) => (report.id === id ? approved : report));
      return approved;
    },
    report_copy: ({ id, files }) => {
      const found = reports.find((report) => report.id === id);
      if (found === undefined) throw new Error('no such report');
      return { report: found, files: files.map((file) => ({ format: file.format, path: file.path, sha256: '3b18e512dba79e4c8300dd08aeb37f8e'.repeat(2), bytes: 182_044 })), proof: null };
    },
    report_compare: ({ id, before }) => {
      const now = reports.find((report) => report.id === id);
      const old = reports.find((report) => report.id === before);
      if (now === undefined || old === undefined) throw new Error('no such report');
      return { before: old, now, notes: [], columns: ['control', 'title', 'before', 'now', 'exceptions before', 'exceptions now'], rows: [['CC7.3', 'Security events are judged', 'warn', 'fail', '2', '9']] };
    },
    report_schedule_list: () => ({ schedules }),
    report_schedule_add: ({ framework, cadence, formats, folder, subject, archive }) => {
      const made: ReportSchedule = { id: crypto.randomUUID(), framework, cadence, formats, folder, subject: subject ?? null, archive: archive ?? false, made_by: 'mara', made_at: new Date().toISOString(), due_at: new Date(Date.now() + 9 * 86_400_000).toISOString(), paused: false, last: null };
      schedules = [...schedules, made];
      return made;
    },
    report_schedule_pause: ({ id, paused }) => {
      schedules = schedules.map((schedule) => (schedule.id === id ? { ...schedule, paused } : schedule));
      return schedules.find((schedule) => schedule.id === id) as ReportSchedule;
    },
    report_schedule_remove: ({ id }) => ({ schedules: (schedules = schedules.filter((schedule) => schedule.id !== id)) }),
    report_schedule_run: ({ id }) => {
      const period = { from: new Date(Date.now() - 30 * 86_400_000).toISOString(), to: new Date().toISOString() };
      schedules = schedules.map((schedule) => (schedule.id === id ? { ...schedule, last: { at: new Date().toISOString(), period, report: crypto.randomUUID(), error: null } } : schedule));
      return schedules.find((schedule) => schedule.id === id) as ReportSchedule;
    },
    audit_page: (request) => (empty ? { rows: [], next: null, size: 0, uncovered: 0, checkpoint: null } : auditPage(request)),
    audit_show: auditShow,
    audit_verify: async () => {
      await wait(500);
      return { ok: true, leaves: 4_812, from: 4_700, unrecorded: false, witnesses: 0, root: 'sZRqySSS0jR8YjW00mERhLGUasklEtI0fGI1tNJhEYQ=', checkpoints: 413, first_bad_seq: null, problems: [], warnings: [], erased: [], set_apart: [], own_faults: [], altered: [], strength: 'second_place' };
    },
    audit_verify_progress: () => ({ step: 'checking records', done: 2_000, total: 4_812, running: true }),
    audit_verify_cancel: () => ({ step: '', done: 0, total: 0, running: false }),
    audit_trust: () => auditTrust(places, keyDays),
    privacy_list: () => ({ holds: privacy.holds, erasures: privacy.erasures }),
    privacy_preview: (request) => privacy.look(request),
    privacy_erase: (request) => privacy.erase(request),
    hold_add: (request) => privacy.hold(request),
    hold_release: (request) => privacy.release(request),
    approval_list: () => approvals.list(),
    approval_grant: ({ id }) => approvals.grant(id),
    approval_refuse: ({ id }) => approvals.decide(id, 'refused'),
    approval_withdraw: ({ id }) => approvals.decide(id, 'withdrawn'),
    approval_policy_put: ({ policy }) => approvals.put(policy),
    role_list: () => roleList(),
    role_set: () => roleList(),
    audit_places_put: (request) => auditTrust((places = request.places), keyDays),
    audit_key_age_put: (request) => auditTrust(places, (keyDays = request.days)),
    audit_retention_get: () => ({ rules: recordRules }),
    audit_retention_put: ({ rules }) => ({ rules: (recordRules = recordRules.map((rule) => rules.find((one) => one.class === rule.class) ?? rule)) }),
    audit_export: ({ directory }) => ({ directory, records: 4_806, leaves: 4_806, size: 4_806, root: AUDIT_ROOT, key: AUDIT_KEY, sha256: '3b18e512dba79e4c8300dd08aeb37f8e'.repeat(2), unreadable: [], uncovered: 0 }),
    secrets_file_get: () => ({ ...secretsFile }),
    secrets_file_open: () => ({ ...(secretsFile = { ...secretsFile, state: 'file_ready' }) }),
    secrets_file_make: () => ({ ...(secretsFile = { ...secretsFile, used: true, state: 'file_ready' }) }),
    secrets_file_passphrase: () => ({ ...secretsFile }),
    window_lock_get: () => ({ ...windowLock }),
    window_lock_now: () => ({ ...(windowLock = { ...windowLock, locked: true }) }),
    window_unlock: () => ({ ...(windowLock = { ...windowLock, locked: false }) }),
    window_lock_put: ({ minutes }) => ({ ...(windowLock = { ...windowLock, minutes }) }),
    sealing_get: () => ({ kinds: ['password', 'token', 'key', 'card'], fields: [] }),
    sealing_put: ({ policy }) => policy,
    health_policy_get: () => makeLines(),
    health_policy_put: ({ policy }) => ({ ...makeLines(), policy }),
    event_reveal: () => ({ kind: 'password', field: 'details.password', value: 'Winter-2026!' }),
    settings_get: () => settings,
    settings_put: ({ organisation, retention }) => (settings = { organisation, retention }),
    connection_list: connectionList,
    connection_parse: ({ url }) => {
      if (!url.includes('://')) {
        const error: unknown = { code: 'validation', message: 'this is no URL', hint: 'it begins with redis://, rediss://, unix:// or postgres://', field: 'url' };
        throw error;
      }
      if (url.startsWith('postgres')) return { redis: null, database: CONNECTION.database, password: { kind: 'set', value: 'secret' }, sentinel_password: { kind: 'keep' } };
      return { redis: CONNECTION.redis, database: null, password: { kind: 'set', value: 'secret' }, sentinel_password: { kind: 'keep' } };
    },
    connection_test: async () => {
      await wait(400);
      return CHECK;
    },
    connection_save: ({ id, name, redis, database, production, observe }) => ({ id: id ?? crypto.randomUUID(), name, redis, database, production, observe }),
    connection_remove: connectionList,
  } satisfies Answers;
  return answers;
}
