import { describe, expect, it } from 'vitest';
import type { Connection } from '$ui/generated/model';
import { ConnectionForm } from './connection-form.svelte';

const SAVED: Connection = {
  id: '0190b3c4-0000-7000-8000-000000000009',
  name: 'shop',
  redis: { address: { kind: 'tcp', host: 'redis.example', port: 6380, tls: { ca: '/etc/ca.pem', cert: null, key: null } }, username: 'wp', database: 3, prefix: 'sec:' },
  database: { kind: 'postgres', host: 'db.example', port: 5433, database: 'wp', username: 'w', tls: null },
  production: true,
  observe: true,
};

describe('ConnectionForm', () => {
  it('gives a saved connection back unchanged and leaves its passwords alone', () => {
    const { draft } = new ConnectionForm(SAVED);
    expect(draft).toEqual({ ...SAVED, redis_password: { kind: 'keep' }, sentinel_password: { kind: 'keep' }, database_password: { kind: 'keep' } });
  });

  it('names every field that is missing', () => {
    const form = new ConnectionForm(null);
    form.kind = 'postgres';
    form.port = '70000';
    expect(Object.keys(form.problems).sort()).toEqual(['host', 'name', 'pg_host', 'port']);
  });

  it('asks for nothing that the chosen kind does not have', () => {
    const form = new ConnectionForm(null);
    form.name = 'x';
    form.via = 'unix';
    form.socket = '/run/redis.sock';
    expect(form.problems).toEqual({});
    expect(form.draft.redis.address).toEqual({ kind: 'unix', path: '/run/redis.sock' });
    expect(form.draft.database).toEqual({ kind: 'sqlite', path: null });
  });

  it('takes the nodes of a cluster as people write them and gives them back', () => {
    const form = new ConnectionForm(null);
    form.via = 'cluster';
    form.nodes = 'a.example, [2001:db8::1]:7002';
    const address = { kind: 'cluster' as const, nodes: [{ host: 'a.example', port: 6379 }, { host: '2001:db8::1', port: 7002 }], tls: null };
    expect(form.draft.redis.address).toEqual(address);
    const again = new ConnectionForm(null);
    again.fill({ redis: { address, username: null, database: 0, prefix: '{security}:' }, database: null, password: { kind: 'keep' }, sentinel_password: { kind: 'keep' } });
    expect([again.via, again.nodes, again.name]).toEqual(['cluster', 'a.example:6379, [2001:db8::1]:7002', 'a.example']);
    form.nodes = 'a.example:x';
    expect(Object.keys(form.problems)).toContain('nodes');
  });

  it('takes Sentinels as people write them and gives them back', () => {
    const form = new ConnectionForm(null);
    form.fill({
      redis: { address: { kind: 'sentinel', sentinels: [{ host: 'a.example', port: 26379 }, { host: '2001:db8::1', port: 26380 }], master: 'shop', sentinel_username: 'watch', tls: null }, username: null, database: 0, prefix: 'security:' },
      database: null,
      password: { kind: 'keep' },
      sentinel_password: { kind: 'set', value: 'hunter2' },
    });
    expect([form.name, form.sentinels]).toEqual(['shop', 'a.example:26379, [2001:db8::1]:26380']);
    form.sentinels = 'a.example, [2001:db8::1]:26380';
    expect(form.problems).toEqual({});
    expect(form.draft.redis.address).toEqual({ kind: 'sentinel', sentinels: [{ host: 'a.example', port: 26379 }, { host: '2001:db8::1', port: 26380 }], master: 'shop', sentinel_username: 'watch', tls: null });
    expect(form.draft.sentinel_password).toEqual({ kind: 'set', value: 'hunter2' });
    for (const wrong of ['', 'a,', 'a:b', '2001:db8::1', 'a:70000', 'a b']) {
      form.sentinels = wrong;
      expect(Object.keys(form.problems), wrong).toEqual(['sentinels']);
    }
  });

  it('wants a certificate and its key together', () => {
    const form = new ConnectionForm(SAVED);
    form.redisTls.cert = '/etc/client.pem';
    expect(form.problems.redis_tls).toBeDefined();
    form.redisTls.key = '/etc/client.key';
    expect(form.problems).toEqual({});
  });

  it('puts the password of a URL into its field and touches only its side', () => {
    const form = new ConnectionForm(null);
    form.fill({
      redis: { address: { kind: 'tcp', host: 'r.example', port: 6379, tls: { ca: null, cert: null, key: null } }, username: 'u', database: 1, prefix: 'security:' },
      database: null,
      password: { kind: 'set', value: 'hunter2' },
      sentinel_password: { kind: 'keep' },
    });
    expect(form.name, 'an empty name is suggested').toBe('r.example');
    expect(form.draft.redis_password).toEqual({ kind: 'set', value: 'hunter2' });
    expect(form.draft.database_password).toEqual({ kind: 'keep' });
    expect(form.redisTls.on).toBe(true);
  });

  it('forgets a stored password only when nothing new is typed', () => {
    const form = new ConnectionForm(SAVED);
    form.redisSecret.clear = true;
    expect(form.draft.redis_password).toEqual({ kind: 'clear' });
    form.redisSecret.typed = 'new';
    expect(form.draft.redis_password).toEqual({ kind: 'set', value: 'new' });
  });
});
