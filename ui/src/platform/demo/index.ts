// A workspace full of made-up data, for looking at the user interface during development (`?fake`). Not in production
// builds: `platform/index.ts` imports it only when `import.meta.env.DEV` holds.
//
// Switches in the address: `&job` a running job, `&down` Redis is unreachable, `&empty` no incidents, `&closed` no
// connection, `&opening` one that is on its way, `&first` the first run, `&broken` every read fails, `&slow` answers take two seconds.

import type { Incident, IncidentFilter, IncidentPage, IncidentPageRequest, Period } from '$ui/generated/model';
import { FakePlatform, type Answers } from '../fake';
import { defenceAnswers } from './defence';
import { makeDetail, makeIncidents } from './incidents';
import { makeOverview, wasActive } from './overview';
import { searchAnswers } from './search';
import { panelAnswers } from './panels';
import { LOCAL } from './console';
import { CONNECTION, makeStatus, RUNNING_JOB } from './workspace';

const SEVERITIES = ['info', 'low', 'medium', 'high', 'critical'] as const;

function inside(at: string, span: Period | undefined): boolean {
  return span === undefined || (Date.parse(at) >= Date.parse(span.from) && Date.parse(at) < Date.parse(span.to));
}

function matches(incident: Incident, filter: IncidentFilter): boolean {
  return (
    (filter.status.length === 0 || filter.status.includes(incident.status)) &&
    (filter.severity.length === 0 || filter.severity.includes(incident.severity)) &&
    (filter.family.length === 0 || filter.family.includes(incident.family)) &&
    (filter.assignee === null || (incident.assignee ?? '') === filter.assignee) &&
    (filter.entity === null || (filter.entity.kind === incident.entity.kind && filter.entity.value === incident.entity.value)) &&
    inside(incident.opened_at, filter.opened) &&
    inside(incident.first_seen, filter.began) &&
    // Its events are nobody's.
    filter.event === undefined &&
    (filter.active_at === undefined || wasActive(incident, filter.active_at)) &&
    (filter.acknowledged === undefined || filter.acknowledged === (incident.acknowledged_at !== null)) &&
    (filter.text === null || incident.title.toLowerCase().includes(filter.text.toLowerCase()))
  );
}

function counts<V extends string>(rows: readonly Incident[], value: (row: Incident) => V): { value: V; count: number }[] {
  const by = new Map<V, number>();
  for (const row of rows) by.set(value(row), (by.get(value(row)) ?? 0) + 1);
  return [...by].map(([key, count]) => ({ value: key, count })).sort((a, b) => b.count - a.count);
}

/** When the next clock runs out; after everything where none runs. */
function dueOf(row: Incident): string {
  if (row.paused !== undefined || row.status === 'resolved' || row.status === 'closed') return '9999';
  return row.acknowledged_at === null ? row.acknowledge_due : row.resolve_due;
}

function page(all: readonly Incident[], request: IncidentPageRequest): IncidentPage {
  const rows = all.filter((row) => matches(row, request.filter));
  if (request.order === 'severity') rows.sort((a, b) => SEVERITIES.indexOf(b.severity) - SEVERITIES.indexOf(a.severity));
  if (request.order === 'urgency') rows.sort((a, b) => SEVERITIES.indexOf(b.severity) - SEVERITIES.indexOf(a.severity) || dueOf(a).localeCompare(dueOf(b)));
  if (request.order === 'due') rows.sort((a, b) => a.acknowledge_due.localeCompare(b.acknowledge_due));
  const start = request.after === null ? 0 : Number(request.after);
  const end = start + request.limit;
  const without = (part: Partial<IncidentFilter>): Incident[] => all.filter((row) => matches(row, { ...request.filter, ...part }));
  return {
    rows: rows.slice(start, end),
    next: end < rows.length ? String(end) : null,
    total: rows.length,
    facets: {
      status: counts(without({ status: [] }), (row) => row.status),
      severity: counts(without({ severity: [] }), (row) => row.severity),
      family: counts(without({ family: [] }), (row) => row.family),
      assignee: counts(without({ assignee: null }), (row) => row.assignee ?? ''),
    },
  };
}

export function demoPlatform(switches = new URLSearchParams(location.search)): FakePlatform {
  const now = Date.now();
  let incidents = switches.has('empty') ? [] : makeIncidents(now, 134);
  let before: Incident[] = [];
  const blocked = new Set(['203.0.113.77', '91.92.243.8']);
  const find = (number: number): Incident => {
    const found = incidents.find((incident) => incident.number === number);
    if (found === undefined) {
      const error: unknown = { code: 'not_found', message: `there is no incident #${number}` };
      throw error;
    }
    return found;
  };
  const change = (number: number, part: Partial<Incident>): Incident => {
    const changed = { ...find(number), ...part, version: find(number).version + 1 };
    incidents = incidents.map((incident) => (incident.number === number ? changed : incident));
    return changed;
  };
  /** Changes one by itself, which can be taken back. */
  const alone = (number: number, part: Partial<Incident>): Incident => {
    before = incidents;
    return change(number, part);
  };
  const active = (): number => incidents.filter((row) => row.status !== 'resolved' && row.status !== 'closed').length;
  const status = () => {
    const made = makeStatus(active());
    if (switches.has('first')) return { ...made, connection: LOCAL, newest_event: null, offer_demo: true };
    if (switches.has('opening')) return { ...made, connection: null, opening: CONNECTION.name, redis: null, database: null, newest_event: null };
    if (switches.has('closed')) return { ...made, connection: null, redis: null, database: null };
    if (switches.has('down')) return { ...made, redis: { state: 'down' as const, detail: 'connection refused', last_ok: new Date(now - 40_000).toISOString() } };
    if (switches.has('calm') && made.connection !== null) {
      return { ...made, connection: { ...made.connection, production: false, name: 'Local workspace' }, engine: { ...made.engine, state: 'running' as const, backlog: 0, quarantined_total: 0, lost_total: 0 } };
    }
    return made;
  };
  const panels = panelAnswers(switches.has('empty'));
  const answers: Answers = {
    ...panels,
    ...defenceAnswers(switches.has('empty')),
    incident_similar: ({ number }) => {
      const alike = incidents.filter((row) => row.number !== number && row.family === find(number).family).slice(0, 5);
      return { rows: alike.map((incident) => ({ incident, score: 53, because: [{ kind: 'rule' as const, value: 'wp.sqli.tautology' }] })), active: alike.filter((row) => row.status !== 'resolved' && row.status !== 'closed').length };
    },
    incident_timeline: ({ number }) => ({ rows: makeDetail(find(number)).timeline, earlier: null }),
    incident_notes: ({ number }) => ({ rows: makeDetail(find(number)).notes, earlier: null }),
    incident_escalate: ({ number, severity, to }) => alone(number, { ...(severity === null ? {} : { severity }), ...(to === null ? {} : { escalated_to: to }) }),
    incident_handover: ({ number, to }) => alone(number, { assignee: to }),
    incident_pause: ({ number, reason }) => change(number, { paused: { reason, since: new Date().toISOString() } }),
    incident_merge: ({ numbers, into }) => {
      for (const number of numbers) change(number, { status: 'closed', verdict: 'duplicate', merged_into: into });
      return find(into);
    },
    incident_bulk: ({ numbers, filter, action }) => {
      const chosen = filter === null ? numbers : incidents.filter((row) => matches(row, filter)).map((row) => row.number);
      before = incidents;
      for (const number of chosen) {
        if (action.do === 'resolve') change(number, { status: 'resolved', verdict: action.verdict, resolved_at: new Date().toISOString() });
        if (action.do === 'take') change(number, { assignee: 'mara', status: 'investigating' });
        if (action.do === 'assign') change(number, { assignee: action.assignee });
      }
      return { changed: chosen, skipped: [], undo: 'token' };
    },
    incident_undo: () => {
      const changed = incidents.filter((row) => !before.includes(row)).map((row) => row.number);
      incidents = before;
      return { changed, skipped: [], undo: null };
    },
    workspace_status: status,
    overview: (request) => {
      const made = makeOverview(request, incidents, blocked, (at) => panels.block_list({ state: [], in_force_at: at, limit: 500 }).total, now);
      return switches.has('empty') ? { ...made, threat: 'calm', threat_reason: 'No active incident', threat_severity: null, threat_incidents: 0, threat_oldest: null, counts: [], top_sources: [], top_targets: [], api: { ...made.api, endpoints: [] }, by_country: [] } : made;
    },
    event_page: ({ after, limit }) => {
      const start = after === null ? 0 : Number(after);
      const rows = incidents.slice(0, 12).flatMap((incident) => makeDetail(incident).evidence.map((item) => item.event));
      return { rows: rows.slice(start, start + limit), next: start + limit < rows.length ? String(start + limit) : null };
    },
    ...searchAnswers(() => incidents.slice(0, 12).flatMap((incident) => makeDetail(incident).evidence.map((item) => item.event)), now),
    incident_page: (request) => page(incidents, request),
    incident_detail: ({ number }) => makeDetail(find(number)),
    incident_take: ({ number }) => alone(number, { assignee: 'mara', status: 'investigating', acknowledged_at: new Date().toISOString() }),
    incident_assign: ({ number, assignee }) => alone(number, { assignee }),
    incident_status_set: ({ number, status: next }) => alone(number, { status: next }),
    incident_resolve: ({ number, verdict, reason }) => alone(number, { status: 'resolved', verdict, verdict_reason: reason, resolved_at: new Date().toISOString() }),
    incident_note: ({ number, text }) => {
      const detail = makeDetail(find(number));
      return { ...detail, notes: [...detail.notes, { id: crypto.randomUUID(), author: 'mara', at: new Date().toISOString(), text }] };
    },
    block_preview: ({ target }) => {
      if (!/^[\da-f.:/]+$/i.test(target)) {
        const error: unknown = { code: 'validation', message: `"${target}" is not an IP address or CIDR range`, field: 'target' };
        throw error;
      }
      return {
        target,
        refusal: target.startsWith('10.') ? `${target} holds 10.0.0.7, an address of this machine or of a server that Watchpost uses` : null,
        events_24h: 4_812,
        successful_24h: 3,
        users_24h: ['mara', 'svc-report'],
        existing: null,
      };
    },
    block_add: (request) => {
      blocked.add(request.target);
      return panels.block_add(request);
    },
  };
  const platform = new FakePlatform(answers);
  if (switches.has('broken') || switches.has('slow')) {
    const call = platform.call.bind(platform);
    platform.call = async (name, request, confirmation) => {
      if (switches.has('slow')) await new Promise((resolve) => setTimeout(resolve, 2_000));
      if (switches.has('broken') && name !== 'workspace_status') {
        const error: unknown = { code: 'unavailable', message: 'the database did not answer within 2 s', hint: 'Check that PostgreSQL runs and that its port is reachable.', trace_id: '7f3a91c2' };
        throw error;
      }
      return await call(name, request, confirmation);
    };
  }
  // Speaks only while somebody listens: nothing is left behind by a platform that is no longer used.
  const live = platform.live.bind(platform);
  platform.live = (onBatch) => {
    const stop = live(onBatch);
    const pulse = setInterval(() => platform.push({ changed: [], status: status(), jobs: switches.has('job') ? [RUNNING_JOB] : [] }), 2_000);
    return () => {
      clearInterval(pulse);
      stop();
    };
  };
  return platform;
}
