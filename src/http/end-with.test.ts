import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { test } from 'node:test';
import { testServer } from './testing/server.ts';
import { until } from './testing/until.ts';

const FILE = '/docs/static/swagger-ui-bundle.js';

test('[SPEC 8] a file that waits for its turn on a connection is closed with it, whatever ended it', async (t) => {
  const server = await testServer(t);
  const port = await server.listen();
  const get = (path: string) => `GET ${path} HTTP/1.1\r\nhost: x\r\n`;
  // The stream has no end, so that the file's turn never comes.
  const first = `${get('/live/sample/numbers/a')}\r\n${get(FILE)}\r\n`;
  const open = (sent: string) => {
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    t.after(() => socket.destroy());
    socket.resume().write(sent);
    return socket;
  };
  for (const last of [
    'CONNECT x:1 HTTP/1.1\r\nhost: x\r\n\r\n',
    `${get('/live')}connection: upgrade\r\nupgrade: websocket\r\n\r\n`,
  ]) {
    const waits = open(first);
    await until('the file to be open', isOpen);
    waits.write(last);
    await until('it to be closed', () => !isOpen());
    const gone = open(first + last);
    await once(gone, 'close');
    // What was opened for it, after its end, was opened before this.
    assert.equal((await (await fetch(`http://127.0.0.1:${port}${FILE}`)).text()).length > 1e6, true);
    await until('nothing to be open', () => !isOpen());
  }
  assert.deepEqual(server.logged, []);
});

/** Whether this process has the file open. */
function isOpen(): boolean {
  return readdirSync('/proc/self/fd').some((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).endsWith('swagger-ui-bundle.js');
    } catch {
      return false; // closed meanwhile
    }
  });
}
