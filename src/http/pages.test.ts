import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { brotliCompressSync, brotliDecompressSync } from 'node:zlib';
import { testServer } from './testing/server.ts';

async function build(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lockstep-pages-'));
  t.after(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, 'assets'));
  await writeFile(join(folder, 'index.html'), '<!doctype html><div id="root"></div>');
  await writeFile(join(folder, 'assets', 'app-1a2b.js'), 'export {};');
  await writeFile(join(folder, 'favicon.svg'), '<svg/>');
  await writeFile(join(folder, 'secret.html'), 'no page');
  return folder;
}

test('one HTML file is every page, always asked for anew, under a policy without inline scripts', async (t) => {
  const { app } = await testServer(t, {}, { pages: await build(t) });
  for (const url of ['/', '/sample/']) {
    const response = await app.inject(url);
    assert.equal(response.statusCode, 200);
    assert.match(response.body, /id="root"/);
    assert.equal(response.headers['cache-control'], 'no-cache');
    const policy = String(response.headers['content-security-policy']);
    assert.match(policy, /default-src 'self'/);
    assert.doesNotMatch(policy, /unsafe/);
    assert.equal(response.headers['strict-transport-security'], undefined);
  }
  const bare = await app.inject('/sample');
  assert.deepEqual([bare.statusCode, bare.headers.location], [308, '/sample/']);
});

test('guides are pages where the build has them; what is none is not found', async (t) => {
  const folder = await build(t);
  await writeFile(join(folder, 'guides.json'), '["operate"]');
  const { app } = await testServer(t, {}, { pages: folder });
  for (const url of ['/guides/', '/guides/operate/']) assert.match((await app.inject(url)).body, /id="root"/);
  const bare = await app.inject('/guides/operate');
  assert.deepEqual([bare.statusCode, bare.headers.location], [308, '/guides/operate/']);
  assert.equal((await app.inject('/guides/nothing/')).statusCode, 404);
});

test('files go compressed to who takes them so', async (t) => {
  const folder = await build(t);
  await writeFile(join(folder, 'assets', 'app-1a2b.js.br'), brotliCompressSync('export {};'));
  const { app } = await testServer(t, {}, { pages: folder });
  const url = '/assets/app-1a2b.js';
  const small = await app.inject({ url, headers: { 'accept-encoding': 'gzip, br' } });
  assert.equal(small.headers['content-encoding'], 'br');
  assert.match(String(small.headers['content-type']), /javascript/);
  assert.equal(brotliDecompressSync(small.rawPayload).toString(), 'export {};');
  assert.equal((await app.inject({ url })).headers['content-encoding'], undefined);
});

test('assets are kept for a year, and only files of the build are served', async (t) => {
  const { app } = await testServer(t, {}, { pages: await build(t) });
  const asset = await app.inject('/assets/app-1a2b.js');
  assert.match(String(asset.headers['cache-control']), /max-age=31536000, immutable/);
  assert.match(String(asset.headers['content-type']), /javascript/);
  assert.equal((await app.inject('/favicon.svg')).statusCode, 200);
  for (const url of [
    '/secret.html',
    '/assets/../secret.html',
    '/assets/%2e%2e/secret.html',
    '/assets/..%2fsecret.html',
  ]) {
    const { statusCode } = await app.inject(url);
    assert.ok(statusCode >= 400 && statusCode < 500, `${url}: ${statusCode}`);
  }
});

test('a folder is 404, a part that is not there 416, each with a message', async (t) => {
  const { app } = await testServer(t, {}, { pages: await build(t) });
  const status = async (url: string, headers: Record<string, string> = {}) => {
    const response = await app.inject({ url, headers });
    assert.ok(response.json<{ message: string }>().message.length > 10);
    return response.statusCode;
  };
  for (const url of ['/assets/', '/assets//', '/assets/.', '/assets/x%00y']) assert.equal(await status(url), 404, url);
  assert.equal(await status('/assets/app-1a2b.js', { range: 'bytes=999-' }), 416);
});

test('the API is not shadowed by the pages, nor has their headers', async (t) => {
  const { app } = await testServer(t, {}, { pages: await build(t) });
  const response = await app.inject('/sample/numbers');
  assert.equal(response.headers['content-security-policy'], undefined);
  assert.equal(response.headers['x-content-type-options'], 'nosniff');
});

test('who mistypes an address in a browser gets a page, programs a problem document; both 404', async (t) => {
  const { app } = await testServer(t, {}, { pages: await build(t) });
  const headers = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };
  for (const url of ['/nothing', '/guides/nothing/', '/sample/nothing']) {
    const page = await app.inject({ url, headers });
    assert.deepEqual([page.statusCode, /id="root"/.test(page.body)], [404, true]);
    assert.match(String(page.headers['content-security-policy']), /default-src 'self'/);
    const problem = await app.inject({ url });
    assert.deepEqual([problem.statusCode, problem.json<{ status: number }>().status], [404, 404]);
  }
  assert.match((await app.inject({ method: 'POST', url: '/nothing', headers })).body, /"status":404/);
});

test('without a build the page says how to make one, and the API works', async (t) => {
  const { app } = await testServer(t, {}, { pages: '/nowhere' });
  const response = await app.inject('/');
  assert.equal(response.statusCode, 503);
  assert.match(response.body, /npm run build/);
  assert.equal((await app.inject('/sample/numbers')).statusCode, 200);
});

test('a browser that leaves before its page is there is no fault of the server', async (t) => {
  const server = await testServer(t, {}, { pages: await build(t) });
  const port = await server.listen();
  for (let i = 0; i < 20; i++) {
    const socket = connect(port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n', () => socket.resetAndDestroy());
    await once(socket, 'close');
    assert.equal((await fetch(`http://127.0.0.1:${port}/`)).status, 200);
  }
  assert.deepEqual(server.logged, []);
});

test('behind HTTPS browsers are told to stay there', async (t) => {
  const { app } = await testServer(t, { publicUrl: 'https://lockstep.example' }, { pages: await build(t) });
  assert.match(String((await app.inject('/')).headers['strict-transport-security']), /max-age/);
});

test('[SPEC 9] a body that cannot be read, sent to where nothing is, gets a problem that says so', async (t) => {
  const { app } = await testServer(t);
  for (const [url, status] of [
    ['/nowhere', 404],
    ['/live', 405],
  ] as const) {
    const headers = { 'content-type': 'application/json' };
    const answer = await app.inject({ method: 'POST', url, headers, payload: '' });
    assert.equal(answer.statusCode, status);
    assert.equal(answer.json<{ status: number }>().status, status);
  }
});
