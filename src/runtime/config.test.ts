import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ConfigError, defineConfig, describe, loadConfig, redact, redactUrl } from './config.ts';

async function folder(t: TestContext, files: Record<string, string> = {}): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'lockstep-config-'));
  t.after(() => rm(path, { recursive: true }));
  for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text);
  return path;
}

async function refusal(load: Promise<unknown>): Promise<string> {
  const error = await load.then(
    () => assert.fail('accepted'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof ConfigError, String(error));
  return error.message;
}

test('defaults, with the data folder made absolute', async (t) => {
  const cwd = await folder(t);
  const { sources, databases, declared, ...settings } = await loadConfig({ env: {}, cwd });
  assert.deepEqual([databases, declared], [{}, []]);
  assert.deepEqual(settings, {
    host: '127.0.0.1',
    port: 8080,
    dataDir: join(cwd, '.lockstep'),
    databaseUrl: undefined,
    replicationUrl: undefined,
    logLevel: 'info',
    issuer: undefined,
    audience: undefined,
    smtpUrl: undefined,
    secret: undefined,
    publicUrl: undefined,
    corsOrigins: [],
    trustProxy: false,
    waitMs: 5000,
    leaderTimeoutMs: 5000,
    valkeyUrl: undefined,
    valkeyReplicas: 0,
    walLimitBytes: 2 ** 30,
    rateLimit: undefined,
    only: undefined,
    services: {},
  });
  assert.deepEqual(new Set(Object.values(sources)), new Set(['default']));
});

test('the environment is stronger than the file, overrides than both; each value knows its source', async (t) => {
  const cwd = await folder(t, {
    'lockstep.config.ts': `const port: number = 1; export default { port, host: '::', waitMs: 7, services: { leaderboard: { maxLevel: 9 } } };`,
  });
  const config = await loadConfig({
    env: { PORT: '2', LOCKSTEP_WAIT_MS: '8', HOST: '' },
    cwd,
    overrides: { waitMs: 9 },
  });
  assert.deepEqual([config.host, config.port, config.waitMs], ['::', 2, 9]);
  assert.deepEqual(config.services, { leaderboard: { maxLevel: 9 } });
  const { host, port, waitMs, logLevel } = config.sources;
  assert.deepEqual([host, port, waitMs, logLevel], ['file', 'env', 'override', 'default']);
});

test('every kind reads its text forms', async (t) => {
  const cwd = await folder(t);
  const read = (env: Record<string, string>) => loadConfig({ env, cwd });
  assert.equal((await read({ LOCKSTEP_WAL_LIMIT: '2GiB' })).walLimitBytes, 2 ** 31);
  assert.equal((await read({ LOCKSTEP_WAL_LIMIT: '64 MB' })).walLimitBytes, 64e6);
  assert.deepEqual((await read({ LOCKSTEP_CORS_ORIGINS: 'https://a.example, http://b.example:81' })).corsOrigins, [
    'https://a.example',
    'http://b.example:81',
  ]);
  assert.equal((await read({ LOCKSTEP_TRUST_PROXY: 'true' })).trustProxy, true);
  assert.equal((await read({ LOCKSTEP_TRUST_PROXY: '2' })).trustProxy, 2);
  assert.deepEqual((await read({ LOCKSTEP_TRUST_PROXY: 'loopback,10.0.0.0/8' })).trustProxy, [
    'loopback',
    '10.0.0.0/8',
  ]);
  assert.equal((await read({ LOCKSTEP_PUBLIC_URL: 'https://example.org/' })).publicUrl, 'https://example.org');
  assert.deepEqual((await read({ LOCKSTEP_SERVICES: '{"leaderboard":{"maxLevel":7}}' })).services, {
    leaderboard: { maxLevel: 7 },
  });
});

test('a wrong value is refused naming option, found and expected', async (t) => {
  const cwd = await folder(t);
  const wrong: [string, string, RegExp][] = [
    ['PORT', 'http', /^PORT is "http"; expected a port .* from 0 to 65535\.$/],
    ['PORT', '65536', /PORT is "65536"/],
    ['PORT', '-1', /PORT is "-1"/],
    ['LOG_LEVEL', 'loud', /expected one of fatal, error/],
    [
      'DATABASE_URL',
      'mysql://u:secret@h/d',
      /DATABASE_URL is mysql:\/\/u:\*\*\*@h\/d; expected a URL such as postgresql/,
    ],
    ['LOCKSTEP_CORS_ORIGINS', 'https://a.example/path', /expected "\*", or origins/],
    ['LOCKSTEP_TRUST_PROXY', '10.0.0.0/33', /expected true, false/],
    ['LOCKSTEP_WAL_LIMIT', '1', /at least 16777216 bytes/],
    ['LOCKSTEP_WAL_LIMIT', 'lots', /such as 1073741824/],
    ['LOCKSTEP_WAIT_MS', '1.5', /milliseconds/],
    ['LOCKSTEP_ONLY', ',', /names of services, such as leaderboard/],
    ['LOCKSTEP_SERVICES', '{"leaderboard":1}', /an object of objects/],
  ];
  for (const [name, value, message] of wrong) {
    assert.match(await refusal(loadConfig({ env: { [name]: value }, cwd })), message);
  }
});

test('an unknown key in the file is an error with the nearest known name', async (t) => {
  const cwd = await folder(t, { 'lockstep.config.ts': `export default { dataDirectory: 'x' };` });
  assert.match(
    await refusal(loadConfig({ env: {}, cwd })),
    /sets "dataDirectory", which is no option; did you mean "dataDir"\?/,
  );
});

test('a file of the wrong type, without a default export or with a fault is one readable error', async (t) => {
  const load = async (text: string) =>
    refusal(loadConfig({ env: {}, cwd: await folder(t, { 'lockstep.config.ts': text }) }));
  assert.match(
    await load(`export default { port: 'http' };`),
    /^"port" in lockstep.config.ts is "http"; expected a port/,
  );
  assert.match(await load(`export const port = 1;`), /exports no settings; expected "export default/);
  assert.match(await load(`throw new Error('boom');`), /cannot be loaded: boom/);
});

test('[rule: secrets from files] a secret comes from a file, never from both places', async (t) => {
  const cwd = await folder(t, { secret: 'postgresql://u:pw@h/d\n' });
  const config = await loadConfig({ env: { DATABASE_URL_FILE: 'secret' }, cwd });
  assert.equal(config.databaseUrl, 'postgresql://u:pw@h/d');
  const both = { DATABASE_URL_FILE: 'secret', DATABASE_URL: 'postgresql://h/d' };
  assert.match(await refusal(loadConfig({ env: both, cwd })), /DATABASE_URL and DATABASE_URL_FILE are both set/);
  assert.match(
    await refusal(loadConfig({ env: { DATABASE_URL_FILE: 'none' }, cwd })),
    /names .*none, which cannot be read \(ENOENT\)/,
  );
});

test('[rule: secrets never shown] passwords are redacted wherever a config is shown', async (t) => {
  const cwd = await folder(t);
  const env = {
    DATABASE_URL: 'postgresql://u:hunter2@h/d?sslpassword=hunter2',
    LOCKSTEP_SMTP_URL: 'smtps://m:hunter2@mail.example',
  };
  const config = await loadConfig({ env, cwd });
  assert.doesNotMatch(JSON.stringify([redact(config), describe(config)]), /hunter2/);
  assert.match(JSON.stringify(describe(config, { showSecrets: true })), /hunter2/);
  assert.equal(redactUrl('postgresql://u:pw@h:5433/d'), 'postgresql://u:***@h:5433/d');
  assert.equal(redactUrl('postgres://u:pw@/d?host=%2Fsock'), 'postgres://u:***@/d?host=%2Fsock');
  assert.equal(redactUrl('not a url'), '***');
});

test('describe tells every option with its variable and source', async (t) => {
  const config = await loadConfig({ env: { PORT: '81' }, cwd: await folder(t) });
  const port = describe(config).find((line) => line.name === 'port');
  assert.deepEqual(port, { name: 'port', env: 'PORT', value: 81, source: 'env', about: 'port to listen on' });
});

test('defineConfig returns what it is given', () => {
  assert.deepEqual(defineConfig({ port: 1 }), { port: 1 });
});

test('[SPEC 9] VALKEY_URL takes several hosts, and its password is shown nowhere', async () => {
  const url = 'redis://app:geheim@one:7001,two:7002';
  const config = await loadConfig({ env: { VALKEY_URL: url }, cwd: tmpdir() });
  assert.equal(config.valkeyUrl, url);
  assert.equal(redact(config).valkeyUrl, 'redis://app:***@one:7001,two:7002');
  await assert.rejects(
    loadConfig({ env: { VALKEY_URL: 'redis://app:geheim@one:7001?x=1' }, cwd: tmpdir() }),
    (error: Error) => {
      assert.match(error.message, /^VALKEY_URL is \*\*\*; expected a URL such as redis:/);
      return true;
    },
  );
});

test('a database that a service declares is a setting like the others, and a secret', async (t) => {
  const declared = [{ name: 'shopDatabaseUrl', env: 'SHOP_DATABASE_URL', about: 'where shop writes' }] as const;
  const cwd = await folder(t, { 'lockstep.config.ts': `export default { shopDatabaseUrl: 'postgres://u:file@h/d' };` });
  const config = await loadConfig({ env: {}, cwd, declared });
  assert.deepEqual(config.databases, { shopDatabaseUrl: 'postgres://u:file@h/d' });
  const env = await loadConfig({ env: { SHOP_DATABASE_URL: 'postgres://u:env@h/d' }, cwd, declared });
  const line = describe(env).find(({ name }) => name === 'shopDatabaseUrl');
  assert.deepEqual(
    [line?.env, line?.value, line?.source, line?.about],
    ['SHOP_DATABASE_URL', 'postgres://u:***@h/d', 'env', 'where shop writes'],
  );
  assert.match(
    await refusal(loadConfig({ env: { SHOP_DATABASE_URL: 'http://h' }, cwd, declared })),
    /SHOP_DATABASE_URL/,
  );
  assert.match(await refusal(loadConfig({ env: {}, cwd })), /"shopDatabaseUrl", which is no option/);
});

test('a database may have several hosts; each is checked, and shown without its password', async (t) => {
  const cwd = await folder(t);
  const read = (DATABASE_URL: string) => loadConfig({ env: { DATABASE_URL }, cwd });
  const url = 'postgresql://u:p@db1:5432,db2:5433/shop?target_session_attrs=read-write';
  const config = await read(url);
  assert.equal(config.databaseUrl, url);
  assert.equal(redact(config).databaseUrl, url.replace(':p@', ':***@'));
  for (const wrong of ['postgresql://db1:port,db2/shop', url.replace('read-write', 'standby'), 'postgresql://a,/b'])
    assert.match(await refusal(read(wrong)), /several hosts, of which the primary is used/);
});
