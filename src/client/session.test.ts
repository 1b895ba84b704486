import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { Session } from './session.ts';

/** A server that refuses to refresh as the test has it: a limit, a fault. */
async function refusing(t: TestContext, status: number): Promise<Session> {
  const server = createServer((_request, response) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ message: 'no' })),
  ).listen(0, '127.0.0.1');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  return new Session({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, storage });
}

const kept = new Map<string, string>();
const storage = {
  getItem: (key: string) => kept.get(key) ?? null,
  setItem: (key: string, value: string) => void kept.set(key, value),
  removeItem: (key: string) => void kept.delete(key),
};

for (const status of [408, 429, 500, 503]) {
  test(`a refresh answered ${status} says nothing of the token: it stays for the next try`, async (t) => {
    kept.set('lockstep-refresh', 'kept');
    const session = await refusing(t, status);
    await assert.rejects(session.token(), { status });
    assert.equal(kept.get('lockstep-refresh'), 'kept');
  });
}

for (const status of [400, 401, 403]) {
  test(`a refresh answered ${status} ends the session`, async (t) => {
    kept.set('lockstep-refresh', 'kept');
    const session = await refusing(t, status);
    assert.equal(await session.token(), undefined);
    assert.deepEqual([kept.size, session.user], [0, null]);
  });
}
