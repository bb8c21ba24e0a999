// The sentences that the engine writes about what it counted or found unusual, in the language of the window.

import { alertText } from '$ui/domain/redis/alert-text';
import { language, t, word } from '$ui/i18n';
import { en } from '$ui/i18n/en';
import { count, duration } from '$ui/shared/format/number';

const SHIPPED: Readonly<Record<string, string>> = en;
const LENGTH = String.raw`(?:an?|\d+) (?:second|minute|hour|day)s?`;
const SECONDS: Readonly<Record<string, number>> = { second: 1, minute: 60, hour: 3_600, day: 86_400 };

type Part = (name: string) => string;

/** What the groups of the pattern hold. */
function read(pattern: string, text: string): Part | null {
  const groups = new RegExp(`^${pattern}$`, 's').exec(text)?.groups;
  return groups === undefined ? null : (name) => groups[name] ?? '';
}

/** `5 minutes`, `an hour`. */
function span(text: string): string {
  const [n = '', unit = ''] = text.split(' ');
  return duration((/^an?$/.test(n) ? 1 : Number(n)) * (SECONDS[unit.replace(/s$/, '')] ?? 0));
}

function number(digits: string): string {
  return count(Number(digits));
}

/** `08:00 to 12:00, 14:00 to 18:00`. */
function hours(text: string): string {
  if (text === 'no hour in particular') return t('finding.hours.none');
  return text.replace(/(\d\d:\d\d) to (\d\d:\d\d)/g, (_, from: string, to: string) => t('finding.hours', { from, to }));
}

/** `SQL injection [exploitation]`. */
function step(text: string): string {
  const [, title = text, stage] = /^(.+) \[(\w+)\]$/.exec(text) ?? [];
  const key = Object.keys(SHIPPED).find((known) => known.startsWith('family.') && SHIPPED[known] === title);
  const family = key === undefined ? title : word('family', key.slice('family.'.length));
  return stage === undefined ? family : `${family} [${word('attack_stage', stage)}]`;
}

function session(text: string): string | null {
  const part = read(String.raw`the session of (?<user>.*) goes on with another (?<what>user agent|network) after (?<after>${LENGTH}): (?<detail>.*)`, text);
  if (part === null) return null;
  const values = { user: part('user') === 'an unknown user' ? t('finding.unknown_user') : part('user'), pause: span(part('after')), detail: part('detail') };
  return part('what') === 'network' ? t('finding.session.network', values) : t('finding.session.agent', values);
}

/** Rules whose sentences are their own. */
const OWN: Readonly<Record<string, (text: string) => string | null>> = {
  'wp.profile.hour': (text) => {
    const part = read(String.raw`(?<user>.*) is active at (?<time>\d\d:\d\d) UTC on a (?<day>weekday|weekend day); usual is (?<usual>.*)`, text);
    if (part === null) return null;
    const values = { user: part('user'), time: part('time'), usual: hours(part('usual')) };
    return part('day') === 'weekday' ? t('finding.hour.weekday', values) : t('finding.hour.weekend', values);
  },
  'wp.profile.country': (text) => {
    const part = read('(?<user>.*) comes from (?<country>.*) for the first time; usual is (?<usual>.*)', text);
    return part && t('finding.country', { user: part('user'), country: part('country'), usual: part('usual') });
  },
  'wp.profile.device': (text) => {
    const part = read('(?<user>.*) logs in with (?<device>.*) for the first time(?<network>, in a network that is new too)?; usual is (?<usual>.*)', text);
    if (part === null) return null;
    const values = { user: part('user'), device: part('device'), usual: part('usual') };
    return part('network') === '' ? t('finding.device', values) : t('finding.device.network', values);
  },
  'wp.data.volume': (text) => {
    const part = read(String.raw`(?<user>.*) took out (?<amount>.+) in a day; usual is (?<usual>.+) \(median of (?<days>\d+) days, deviation (?<deviation>.+)\)`, text);
    return part && t('finding.volume', { user: part('user'), amount: part('amount'), usual: part('usual'), days: part('days'), deviation: part('deviation') });
  },
  'wp.rate.unusual': (text) => {
    const part = read(String.raw`(?<n>\d+) requests for (?<endpoint>.*) in an hour; usual is (?<usual>\d+) \(median of (?<hours>\d+) hours with requests, deviation (?<deviation>\d+)\)`, text);
    return part && t('finding.rate', { n: number(part('n')), endpoint: part('endpoint'), usual: number(part('usual')), hours: part('hours'), deviation: number(part('deviation')) });
  },
  'wp.travel.impossible': (text) => {
    const part = read(String.raw`(?<user>.*) was in (?<from>.+), and (?<after>${LENGTH}) later in (?<to>.+): (?<km>\d+) km away`, text);
    return part && t('finding.travel', { user: part('user'), from: part('from'), pause: span(part('after')), to: part('to'), km: number(part('km')) });
  },
  'wp.session.agent': session,
  'wp.session.network': session,
  'wp.gap.silence': (text) => {
    const part = read(`no (?<name>.+) events for (?<time>${LENGTH}); the longest pause of the last days was (?<longest>${LENGTH})`, text);
    return part && t('finding.gap', { name: part('name'), time: span(part('time')), longest: span(part('longest')) });
  },
  'wp.threat.listed': (text) => {
    const part = read(String.raw`The (?<what>address|domain|user agent) (?<value>.*) is named by the threat list (?<list>.*) \((?<entry>.*)\) and (?<did>logged in|was seen) at (?<at>\S+)`, text);
    if (part === null) return null;
    const values = { what: word('listed_by', part('what')), value: part('value'), list: part('list'), entry: part('entry'), at: part('at') };
    return part('did') === 'logged in' ? t('finding.listed.in', values) : t('finding.listed', values);
  },
  'wp.chain.stages': (text) => {
    const part = read(String.raw`(?<n>\d+) stages? of an attack by (?<who>.*): (?<steps>.*)`, text);
    return part && t('finding.chain', { n: part('n'), who: part('who'), steps: part('steps').split(', then ').map(step).join(t('finding.then')) });
  },
};

/** `12 failed logins in 5 minutes (203.0.113.7)`, `administrator rights given to mara (role_change, by root)`. */
function counted(id: string, text: string): string | null {
  const what = SHIPPED[`rule_counts.${id}`];
  if (what === undefined) return null;
  const named = word('rule_counts', id);
  const at = text.indexOf(what);
  if (at === 0) {
    const part = read(String.raw`(?: to (?<to>.*))? \((?<kind>\S+), by (?<who>.*)\)`, text.slice(what.length));
    if (part === null) return null;
    const values = { what: named, kind: part('kind'), who: part('who') };
    return part('to') === '' ? t('finding.each', values) : t('finding.each.to', { ...values, to: part('to') });
  }
  const before = at < 0 ? null : read(String.raw`(?<n>\d+)(?<more> or more)? `, text.slice(0, at));
  const after = read(String.raw` in (?<window>${LENGTH}) \((?<who>.*)\)`, text.slice(at + what.length));
  if (before === null || after === null) return null;
  const values = { what: named, window: span(after('window')), who: after('who') };
  const n = number(before('n'));
  return before('more') === '' ? t('finding.counted', { n, ...values }) : t('finding.counted.more', { least: n, ...values });
}

/** A correlation of a rule of one's own: `Many refunds: 12 in 300 s (anna)`. Its title stands before it. */
function correlated(title: string | undefined, text: string): string | null {
  if (title === undefined || !text.startsWith(`${title}: `)) return null;
  const rest = text.slice(title.length + 2);
  const part = read(String.raw`(?<n>\d+) in (?<window>\d+) s \((?<who>.*)\)`, rest);
  return part === null ? rest : t('finding.correlated', { n: number(part('n')), window: duration(Number(part('window'))), who: part('who') });
}

/** The sentence in the language of the window, without the title of the rule before it. */
export function findingSentence(id: string, title: string | undefined, text: string): string {
  const own = correlated(title, text);
  if (own !== null) return own;
  return (language === 'en' ? null : (id.startsWith('wp.redis.') ? alertText(text) : (OWN[id]?.(text) ?? counted(id, text)))) ?? text;
}
