import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { forThisFile, startValkey, startValkeyCluster } from '../../../testing/valkey.ts';
import { connectStore, type ValkeyConnection } from './connection.ts';
import { StoreRefused, StoreUnavailable } from './errors.ts';
import { scriptOf } from './wire/script.ts';
import { slotOf } from './wire/slots.ts';

const [server, cluster] = await Promise.all([forThisFile(startValkey()), forThisFile(startValkeyCluster())]);

async function connected(t: { after(work: () => Promise<void>): void }, url: string): Promise<ValkeyConnection> {
  const { connection } = await connectStore({ url });
  t.after(() => connection.close());
  return connection;
}

async function until<T>(what: string, look: () => Promise<T | undefined | false> | T | undefined | false): Promise<T> {
  for (const deadline = Date.now() + 15_000; Date.now() < deadline; await sleep(5)) {
    const found = await look();
    if (found) return found;
  }
  throw new Error(`waited in vain for ${what}`);
}

/** Anything but an answer, for as long as it is away. */
const answers = (connection: ValkeyConnection) => async () =>
  (await connection.command('PING').catch(() => '')) === 'PONG';

test('a slot is the one the server computes', async () => {
  for (const key of ['a', 'lockstep:{leaderboard/games:0}', '{}x', 'a{b}c{d}', 'ü{名}']) {
    assert.equal(slotOf(key), await cluster.nodes[0]!.command('CLUSTER', 'KEYSLOT', key));
  }
});

test('commands are answered in order, errors in their place, and scripts are known by their digest', async (t) => {
  for (const { url } of [server, cluster]) {
    const connection = await connected(t, url);
    const replies = await connection.pipeline('{a}1', [
      ['SET', '{a}1', 'ü'],
      ['INCR', '{a}1'],
      ['GET', '{a}1'],
    ]);
    assert.deepEqual([replies[0], replies[2]], ['OK', 'ü']);
    assert.match((replies[1] as Error).message, /not an integer/);
    const script = scriptOf("return {redis.call('GET', KEYS[1]), ARGV[1], 7, false}");
    for (let i = 0; i < 2; i++) assert.deepEqual(await connection.run(script, '{a}1', ['x']), ['ü', 'x', 7, null]);
    const bytes = Buffer.from([0, 255, 10]);
    assert.deepEqual(await connection.run(script, '{a}1', [bytes], true), [Buffer.from('ü'), bytes, 7, null]);
    await assert.rejects(connection.run(scriptOf("return redis.call('LPUSH', KEYS[1], 1)"), '{a}1', []), StoreRefused);
    assert.equal((await connection.everywhere('DBSIZE')).length, url === server.url ? 1 : 3);
  }
});

test('[SPEC 8] while the server is away everything fails at once, nothing is sent later; it is there again when it comes back', async (t) => {
  const own = await startValkey();
  t.after(() => own.stop());
  const connection = await connected(t, own.url);
  const heard: string[] = [];
  let subscriptions = 0;
  await connection.subscribe(
    'news',
    (message) => heard.push(String(message)),
    () => subscriptions++,
  );
  await own.kill();
  await until('the loss', () =>
    connection.command('SET', 'a', '1').then(
      () => false,
      (error) => error instanceof StoreUnavailable && !error.sent,
    ),
  );
  await until('the reason', () =>
    connection.command('SET', 'a', '1').then(
      () => false,
      (error) => /cannot be reached: .*ECONNREFUSED/.test(error.message),
    ),
  );
  await own.start();
  await until('the connection', answers(connection));
  assert.equal(await connection.command('GET', 'a'), null);
  await until('the subscription', () => subscriptions === 2);
  await connection.publish('news', Buffer.from('hello'));
  await until('the message', () => heard.length > 0);
  assert.deepEqual(heard, ['hello']);
});

test('[SPEC 8] a server that stops answering is given up', async (t) => {
  const own = await startValkey();
  t.after(() => own.stop());
  const connection = await connected(t, own.url);
  own.pause();
  await assert.rejects(connection.command('SET', 'a', '1'), (error) => error instanceof StoreUnavailable && error.sent);
  own.resume();
  await until('the connection', answers(connection));
});

test('[rule 5] a moved slot is followed; one on its way is not, for half of its keys are elsewhere', async (t) => {
  const connection = await connected(t, cluster.url);
  const key = '{moving}a';
  const slot = String(slotOf(key));
  await connection.command('SET', key, '1');
  const ids = await Promise.all(cluster.nodes.map((node) => node.command('CLUSTER', 'MYID').then(String)));
  const holds = await Promise.all(cluster.nodes.map((node) => node.command('CLUSTER', 'COUNTKEYSINSLOT', slot)));
  const from = holds.findIndex((count) => Number(count) > 0);
  const to = (from + 1) % 3;
  await cluster.nodes[to]!.command('CLUSTER', 'SETSLOT', slot, 'IMPORTING', ids[from]!);
  await cluster.nodes[from]!.command('CLUSTER', 'SETSLOT', slot, 'MIGRATING', ids[to]!);
  const target = cluster.nodes[to]!;
  await cluster.nodes[from]!.command('MIGRATE', '127.0.0.1', String(target.port), key, '0', '5000');
  await assert.rejects(
    connection.command('GET', key),
    (error) => error instanceof StoreUnavailable && /ASK/.test(error.message),
  );
  for (const node of [target, ...cluster.nodes]) await node.command('CLUSTER', 'SETSLOT', slot, 'NODE', ids[to]!);
  assert.equal(await connection.command('GET', key), '1');
});

test('messages reach subscribers on any server of a cluster', async (t) => {
  const [one, other] = [await connected(t, cluster.url), await connected(t, cluster.nodes[2]!.url)];
  const heard: string[] = [];
  const stop = await other.subscribe('news', (message) => heard.push(String(message)));
  for (const text of ['a', 'b', 'c']) await one.publish('news', Buffer.from(text));
  await until('the messages', () => heard.length === 3);
  assert.deepEqual(heard, ['a', 'b', 'c']);
  await stop();
  await one.publish('news', Buffer.from('d'));
  await sleep(50);
  assert.equal(heard.length, 3);
});

test('[SPEC 8] while the server is away a subscription ends all the same, at once, and so does the connection', async (t) => {
  const own = await startValkey();
  t.after(() => own.stop());
  const { connection } = await connectStore({ url: own.url });
  t.after(() => connection.close());
  let heard = 0;
  const unsubscribe = await connection.subscribe('news', () => heard++);
  await connection.publish('news', Buffer.from('1'));
  await until('the message', () => heard === 1);
  await own.kill();
  await until('it is away', () =>
    connection.command('PING').then(
      () => false,
      () => true,
    ),
  );
  const ended = unsubscribe().then(() => connection.close());
  assert.equal(await Promise.race([ended.then(() => 'ended'), sleep(10_000, 'it hangs')]), 'ended');
});

test('[SPEC 9] a server that does not do is refused, with what to do; passwords are not told', async (t) => {
  const [evicting, closed] = await Promise.all([
    startValkey({ args: ['--maxmemory-policy', 'allkeys-lru', '--maxmemory', '100mb'] }),
    startValkey({ args: ['--user', ...'app on >s3cret ~* &* +@all'.split(' '), '--user', 'default', 'off'] }),
  ]);
  t.after(() => Promise.all([evicting.stop(), closed.stop()]).then(() => {}));
  const refusal = (url: string) =>
    connectStore({ url, timeoutMs: 2000 }).then(
      () => '',
      (error: Error) => error.message,
    );
  assert.match(await refusal(evicting.url), /allkeys-lru.*CONFIG SET maxmemory-policy noeviction/);
  assert.match(await refusal('redis://127.0.0.1:1'), /127\.0\.0\.1:1 cannot be reached: .*ECONNREFUSED/);
  assert.match(await refusal(closed.url), /cannot be reached: (NOAUTH|WRONGPASS)/);
  assert.match(await refusal(`${server.url},127.0.0.1:${closed.port}`), /names a Cluster, but its server is none/);
  assert.match(await refusal(`${cluster.nodes[0]!.url}/3`), /SELECT is not allowed in cluster mode/);
  assert.match(await refusal('http://x'), /no URL of a store/);
  const wrong = closed.url.replace('://', '://app:s3cre@');
  assert.doesNotMatch(await refusal(wrong), /s3cre/);
  const right = await connected(t, closed.url.replace('://', '://app:s3cret@'));
  assert.equal(await right.command('PING'), 'PONG');
});

test('[SPEC 9] rediss:// speaks TLS, and checks the server against its authority', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'lockstep-tls-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const request = '-x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost'.split(
    ' ',
  );
  const names = ['-addext', 'subjectAltName=DNS:localhost'];
  execFileSync('openssl', ['req', ...request, ...names, '-keyout', key, '-out', certificate], { stdio: 'ignore' });
  const own = await startValkey();
  t.after(() => own.stop());
  const tlsPort = String(own.port + (own.port < 60_000 ? 1 : -1));
  for (const [name, value] of Object.entries({
    'tls-key-file': key,
    'tls-cert-file': certificate,
    'tls-auth-clients': 'no',
    'tls-port': tlsPort,
  }))
    await own.command('CONFIG', 'SET', name, value);
  const url = `rediss://localhost:${tlsPort}`;
  assert.equal(await (await connected(t, `${url}?ca=${certificate}`)).command('PING'), 'PONG');
  await assert.rejects(connectStore({ url, timeoutMs: 1000 }), /cannot be reached: self-signed certificate/);
});
