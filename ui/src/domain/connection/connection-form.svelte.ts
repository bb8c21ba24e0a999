// A connection as it is being typed into the dialog, and its way to the request and back.

import type { Connection, ConnectionDraft, DatabaseConnection, HostPort, ParsedUrl, RedisAddress, RedisConnection, SecretInput, TlsFiles } from '$ui/generated/model';
import { t } from '$ui/i18n';
import { wholeNumber } from '$ui/shared/format/number';

export class TlsForm {
  on = $state(false);
  ca = $state('');
  cert = $state('');
  key = $state('');

  fill(files: TlsFiles | null): void {
    this.on = files !== null;
    this.ca = files?.ca ?? '';
    this.cert = files?.cert ?? '';
    this.key = files?.key ?? '';
  }

  get value(): TlsFiles | null {
    return this.on ? { ca: filled(this.ca), cert: filled(this.cert), key: filled(this.key) } : null;
  }

  /** Half of a pair proves nothing. */
  get problem(): string | null {
    return this.on && (filled(this.cert) === null) !== (filled(this.key) === null) ? t('connection.tls.pair') : null;
  }
}

export class SecretForm {
  typed = $state('');
  clear = $state(false);

  fill(secret: SecretInput): void {
    this.typed = secret.kind === 'set' ? secret.value : '';
    this.clear = secret.kind === 'clear';
  }

  get value(): SecretInput {
    if (this.typed !== '') return { kind: 'set', value: this.typed };
    return this.clear ? { kind: 'clear' } : { kind: 'keep' };
  }
}

export class ConnectionForm {
  readonly id: string | null;
  name = $state('');
  production = $state(false);
  observe = $state(false);

  via = $state<'tcp' | 'cluster' | 'sentinel' | 'unix'>('tcp');
  host = $state('');
  port = $state('6379');
  socket = $state('');
  /** Hosts with commas between them, as in the URL. */
  nodes = $state('');
  sentinels = $state('');
  master = $state('');
  sentinelUser = $state('');
  username = $state('');
  db = $state('0');
  prefix = $state('security:');
  readonly redisTls = new TlsForm();
  readonly redisSecret = new SecretForm();
  readonly sentinelSecret = new SecretForm();

  kind = $state<'sqlite' | 'postgres'>('sqlite');
  file = $state('');
  pgHost = $state('');
  pgPort = $state('5432');
  pgDatabase = $state('watchpost');
  pgUser = $state('watchpost');
  readonly pgTls = new TlsForm();
  readonly pgSecret = new SecretForm();

  constructor(connection: Connection | null) {
    this.id = connection?.id ?? null;
    if (connection === null) return;
    this.name = connection.name;
    this.production = connection.production;
    this.observe = connection.observe;
    this.#fillRedis(connection.redis);
    this.#fillDatabase(connection.database);
  }

  /** Fills in what a URL says; the rest stays as it was. */
  fill(parsed: ParsedUrl): void {
    if (parsed.redis !== null) {
      this.#fillRedis(parsed.redis);
      if (parsed.password.kind === 'set') this.redisSecret.fill(parsed.password);
      if (parsed.sentinel_password.kind === 'set') this.sentinelSecret.fill(parsed.sentinel_password);
    }
    if (parsed.database !== null) {
      this.#fillDatabase(parsed.database);
      if (parsed.password.kind === 'set') this.pgSecret.fill(parsed.password);
    }
    if (this.name === '') this.name = this.#suggestion(parsed);
  }

  #suggestion(parsed: ParsedUrl): string {
    if (parsed.redis?.address.kind === 'tcp') return parsed.redis.address.host;
    if (parsed.redis?.address.kind === 'cluster') return parsed.redis.address.nodes[0]?.host ?? '';
    if (parsed.redis?.address.kind === 'sentinel') return parsed.redis.address.master;
    return parsed.database?.kind === 'postgres' ? parsed.database.host : '';
  }

  #fillRedis(redis: RedisConnection): void {
    const { address } = redis;
    if (address.kind === 'tcp') {
      this.via = 'tcp';
      this.host = address.host;
      this.port = String(address.port);
      this.redisTls.fill(address.tls);
    }
    if (address.kind === 'cluster') {
      this.via = 'cluster';
      this.nodes = hostList(address.nodes);
      this.redisTls.fill(address.tls);
    }
    if (address.kind === 'unix') {
      this.via = 'unix';
      this.socket = address.path;
    }
    if (address.kind === 'sentinel') {
      this.via = 'sentinel';
      this.sentinels = hostList(address.sentinels);
      this.master = address.master;
      this.sentinelUser = address.sentinel_username ?? '';
      this.redisTls.fill(address.tls);
    }
    this.username = redis.username ?? '';
    this.db = String(redis.database);
    this.prefix = redis.prefix;
  }

  #fillDatabase(database: DatabaseConnection): void {
    this.kind = database.kind;
    if (database.kind === 'sqlite') {
      this.file = database.path ?? '';
      return;
    }
    this.pgHost = database.host;
    this.pgPort = String(database.port);
    this.pgDatabase = database.database;
    this.pgUser = database.username;
    this.pgTls.fill(database.tls);
  }

  /** What is missing or wrong, by field; empty when the request can be made. The name is not needed to test. */
  get problems(): Readonly<Partial<Record<'name' | 'host' | 'port' | 'socket' | 'nodes' | 'sentinels' | 'master' | 'db' | 'prefix' | 'redis_tls' | 'pg_host' | 'pg_port' | 'pg_database' | 'pg_user' | 'pg_tls', string>>> {
    const missing = t('connection.missing');
    const problems: Record<string, string> = {};
    const check = (field: string, holds: boolean, text: string): void => {
      if (!holds) problems[field] = text;
    };
    check('name', filled(this.name) !== null, t('connection.name.missing'));
    if (this.via === 'tcp') {
      check('host', filled(this.host) !== null, missing);
      check('port', wholeNumber(this.port, 1, 65_535) !== null, t('connection.port.wrong'));
    } else if (this.via === 'cluster') {
      check('nodes', parseHosts(this.nodes, REDIS_PORT) !== null, t('connection.nodes.wrong'));
    } else if (this.via === 'sentinel') {
      check('sentinels', parseHosts(this.sentinels) !== null, t('connection.sentinels.wrong'));
      check('master', filled(this.master) !== null, missing);
    } else {
      check('socket', filled(this.socket) !== null, missing);
    }
    if (this.via !== 'unix' && this.redisTls.problem !== null) problems['redis_tls'] = this.redisTls.problem;
    check('db', wholeNumber(this.db, 0, 99_999) !== null, t('connection.missing'));
    check('prefix', filled(this.prefix) !== null, missing);
    if (this.kind === 'postgres') {
      check('pg_host', filled(this.pgHost) !== null, missing);
      check('pg_port', wholeNumber(this.pgPort, 1, 65_535) !== null, t('connection.port.wrong'));
      check('pg_database', filled(this.pgDatabase) !== null, missing);
      check('pg_user', filled(this.pgUser) !== null, missing);
      if (this.pgTls.problem !== null) problems['pg_tls'] = this.pgTls.problem;
    }
    return problems;
  }

  get #address(): RedisAddress {
    const tls = this.redisTls.value;
    switch (this.via) {
      case 'tcp':
        return { kind: 'tcp', host: this.host.trim(), port: Number(this.port), tls };
      case 'cluster':
        return { kind: 'cluster', nodes: parseHosts(this.nodes, REDIS_PORT) ?? [], tls };
      case 'sentinel':
        return { kind: 'sentinel', sentinels: parseHosts(this.sentinels) ?? [], master: this.master.trim(), sentinel_username: filled(this.sentinelUser), tls };
      case 'unix':
        return { kind: 'unix', path: this.socket.trim() };
    }
  }

  /** The request; meaningful when there are no problems. */
  get draft(): ConnectionDraft {
    return {
      id: this.id,
      name: this.name.trim(),
      redis: {
        address: this.#address,
        username: filled(this.username),
        database: Number(this.db),
        prefix: this.prefix.trim(),
      },
      database:
        this.kind === 'sqlite'
          ? { kind: 'sqlite', path: filled(this.file) }
          : { kind: 'postgres', host: this.pgHost.trim(), port: Number(this.pgPort), database: this.pgDatabase.trim(), username: this.pgUser.trim(), tls: this.pgTls.value },
      production: this.production,
      observe: this.observe,
      redis_password: this.redisSecret.value,
      sentinel_password: this.via === 'sentinel' ? this.sentinelSecret.value : { kind: 'keep' },
      database_password: this.kind === 'postgres' ? this.pgSecret.value : { kind: 'keep' },
    };
  }
}

const REDIS_PORT = 6_379;
const SENTINEL_PORT = 26_379;

/** `a:26379, [2001:db8::1]:26379`. */
export function hostList(list: readonly HostPort[]): string {
  return list.map(({ host, port }) => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`)).join(', ');
}

/** The same back; a port may be left out. Null when a part of it is no host. */
export function parseHosts(text: string, standard = SENTINEL_PORT): HostPort[] | null {
  const parts = text.split(',').map((part) => part.trim());
  const hosts = parts.map((part) => {
    const found = /^(?:\[(?<v6>[^\]\s]+)\]|(?<name>[^:\s[\]]+))(?::(?<port>\d+))?$/.exec(part)?.groups;
    const host = found?.['v6'] ?? found?.['name'];
    const port = wholeNumber(found?.['port'] ?? String(standard), 1, 65_535);
    return host === undefined || port === null ? null : { host, port };
  });
  const whole = hosts.filter((host) => host !== null);
  return whole.length === hosts.length ? whole : null;
}

function filled(text: string): string | null {
  return text.trim() === '' ? null : text.trim();
}
