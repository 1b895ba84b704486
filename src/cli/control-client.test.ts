import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ControlClient } from './control-client.ts';

/** A server on a Unix socket that ends with the test. */
async function serve(t: TestContext, listener: RequestListener): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'control-'));
  const socketPath = join(folder, 'control.sock');
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  });
  return socketPath;
}

async function all<T>(lines: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const line of lines) found.push(line);
  return found;
}

test('answers come back as what they are', async (t) => {
  const socketPath = await serve(t, (request, response) => response.end(JSON.stringify({ path: request.url })));
  assert.deepEqual(await new ControlClient({ socketPath }).get('/status?x=1'), { path: '/status?x=1' });
});

test('a stream gives its lines as they come', async (t) => {
  const socketPath = await serve(t, (_, response) => {
    response.write('{"rows":1}\n{"ro');
    setImmediate(() => response.end('ws":2}\n\n{"rows":3}'));
  });
  const lines = await new ControlClient({ socketPath }).post<{ rows: number }>('/verify');
  assert.deepEqual(await all(lines!), [{ rows: 1 }, { rows: 2 }, { rows: 3 }]);
});

test('a server that dies in the middle is an error, not an end', async (t) => {
  const socketPath = await serve(t, (_, response) => {
    response.write('{"rows":1}\n', () => response.destroy());
  });
  const lines = await new ControlClient({ socketPath }).post('/verify');
  await assert.rejects(all(lines!), /ended before it was done|aborted/);
});

test('a refusal tells its message', async (t) => {
  const socketPath = await serve(t, (_, response) => {
    response.writeHead(404).end(JSON.stringify({ message: 'There is no view x.' }));
  });
  await assert.rejects(new ControlClient({ socketPath }).get('/verify'), { message: 'There is no view x.' });
});

test('nobody there is no error', async () => {
  const client = new ControlClient({ socketPath: join(tmpdir(), 'no-such-control.sock') });
  assert.equal(await client.get('/status'), undefined);
  assert.equal(await client.post('/verify'), undefined);
});
