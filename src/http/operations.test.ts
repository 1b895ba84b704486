import assert from 'node:assert/strict';
import { test } from 'node:test';
import { viewStatus } from './testing/live.ts';
import { testServer } from './testing/server.ts';

test('/healthz says the process lives, whatever the views do', async (t) => {
  const { app, live } = await testServer(t);
  live.ready = false;
  assert.equal((await app.inject('/healthz')).statusCode, 200);
});

test('[SPEC 5] /readyz is 503 with what is missing until every view is live', async (t) => {
  const { app, live } = await testServer(t);
  assert.equal((await app.inject('/readyz')).statusCode, 200);
  live.ready = false;
  live.views = [
    viewStatus({ state: 'building', progress: { rows: 30, of: 100, reason: 'first start' } }),
    viewStatus({ name: 'others', state: 'broken', fault: 'gap' }),
    viewStatus({ name: 'fine' }),
  ];
  const response = await app.inject('/readyz');
  assert.equal(response.statusCode, 503);
  assert.deepEqual(response.json<{ missing: string[] }>().missing, [
    'sample/numbers is building (30 %)',
    'sample/others is broken: gap',
  ]);
});

test('[SPEC 5] /metrics shows views, feed, slot, sockets, requests by route, the event loop; no user', async (t) => {
  const { app } = await testServer(t, {}, { gauges: [{ name: 'lockstep_waiters', help: 'Waits.', value: () => 4 }] });
  await app.inject('/sample/numbers');
  await app.inject('/sample/numbers?limit=no');
  await app.inject('/nowhere/alice');
  const response = await app.inject('/metrics');
  assert.match(String(response.headers['content-type']), /^text\/plain; version=0\.0\.4/);
  const lines = response.body.split('\n');
  for (const line of [
    'lockstep_ready 1',
    'lockstep_view_lag_bytes{service="sample",view="numbers"} 12',
    'lockstep_view_position_bytes{service="sample",view="numbers"} 100',
    'lockstep_view_state{service="sample",view="numbers",state="live"} 1',
    'lockstep_view_rebuilds_total{service="sample",view="numbers"} 1',
    'lockstep_slot_retained_bytes 4096',
    'lockstep_leading 1',
    'lockstep_nodes 1',
    'lockstep_feed_transactions_total 7',
    'lockstep_websockets 0',
    'lockstep_waiters 4',
    '# TYPE lockstep_http_request_seconds histogram',
    'lockstep_http_request_seconds_count{method="GET",route="/sample/numbers",status="2xx"} 1',
    'lockstep_http_request_seconds_count{method="GET",route="/sample/numbers",status="4xx"} 1',
    'lockstep_http_request_seconds_count{method="any",route="none",status="4xx"} 1',
    'lockstep_http_request_seconds_bucket{le="+Inf",method="GET",route="/sample/numbers",status="2xx"} 1',
  ]) {
    assert.ok(lines.includes(line) || lines.includes(sorted(line)), line);
  }
  assert.match(response.body, /^nodejs_eventloop_lag_seconds /m);
  assert.doesNotMatch(response.body, /alice/);
});

/** The label `le` comes first or last. */
function sorted(line: string): string {
  return line.replace(/\{(le="[^"]*"),([^}]*)\}/, '{$2,$1}');
}

test('a scrape twice counts the counters once', async (t) => {
  const { app } = await testServer(t);
  await app.inject('/metrics');
  assert.match((await app.inject('/metrics')).body, /^lockstep_feed_changes_total 9$/m);
});

test("/docs describes the services' routes, without outside requests or inline scripts", async (t) => {
  const { app } = await testServer(t);
  const document = (await app.inject('/docs/json')).json<{ paths: Record<string, Record<string, unknown>> }>();
  assert.ok(document.paths['/sample/numbers']?.post);
  assert.equal(document.paths['/metrics'], undefined);
  const page = await app.inject('/docs/');
  assert.doesNotMatch(page.body, /<script(?![^>]*src=)/);
  assert.doesNotMatch(page.body, /https?:\/\//);
  assert.match(String(page.headers['content-security-policy']), /default-src 'self'/);
  const files = [...page.body.matchAll(/(?:src|href)="(\/docs\/static[^"]+)"/g)].map(([, path]) => path!);
  assert.equal(files.length, 5);
  for (const path of files) assert.equal((await app.inject(path)).statusCode, 200, path);
});

test('accounts: sign-up, login, refresh, logout everywhere; keys and discovery for verifiers', async (t) => {
  const { app, identity } = await testServer(t);
  const post = (url: string, payload: object, token?: string) =>
    app.inject({ method: 'POST', url, payload, headers: token ? { authorization: token } : {} });
  const account = { username: 'alice', password: 'Secret-12', email: 'a@example.org' };
  assert.equal((await post('/identity/users', account)).json<{ username: string }>().username, 'alice');
  assert.equal((await post('/identity/login', account)).json<{ expiresIn: number }>().expiresIn, 3600);
  assert.equal((await post('/identity/refresh', { refreshToken: 'again' })).statusCode, 200);
  assert.equal((await post('/identity/refresh', {})).statusCode, 400);
  assert.equal((await post('/identity/logout/everywhere', {})).statusCode, 401);
  assert.equal((await post('/identity/logout/everywhere', {}, 'alice')).statusCode, 200);
  assert.ok(!identity.good.has('alice'));
  assert.deepEqual((await app.inject('/.well-known/jwks.json')).json(), { keys: [{ kid: 'k1' }] });
  assert.equal((await app.inject('/.well-known/openid-configuration')).statusCode, 200);
});
