import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatPosition } from '../changes/position.ts';
import { testServer } from './testing/server.ts';

/** Bytes that an answer of this size fills a socket's buffers with. */
const LARGE = 8 * 2 ** 20;

async function open(t: TestContext) {
  const server = await testServer(t);
  const port = await server.listen();
  const socket = connect(port, '127.0.0.1').on('error', () => {});
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  return { ...server, port, socket };
}

function get(limit: number, headers = '', method = 'GET'): string {
  return `${method} /sample/numbers?limit=${limit} HTTP/1.1\r\nhost: localhost\r\n${headers}\r\n`;
}

/** Reads until `enough` says so, or the connection ends. */
function read(socket: Socket, enough: (text: string) => boolean): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const look = (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (enough(text)) end();
    };
    const end = () => {
      socket.off('data', look).off('end', end);
      resolve(text);
    };
    socket.on('data', look).on('end', end).resume();
  });
}

function bodies(text: string): string[] {
  return text
    .split('HTTP/1.1 200 OK\r\n')
    .slice(1)
    .map((answer) => answer.slice(answer.indexOf('\r\n\r\n') + 4));
}

const ends = (count: number) => (text: string) => text.split('}').length > count;

test('an answer has the headers of any other, and the connection stays', async (t) => {
  const { socket } = await open(t);
  for (const limit of [1, 2, 3]) {
    socket.write(get(limit));
    const text = await read(socket, ends(1));
    assert.match(text, /^HTTP\/1\.1 200 OK\r\ncontent-type: application\/json; charset=utf-8\r\n/);
    assert.match(text, /\r\ndate: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\n/);
    assert.match(text, /\r\nconnection: keep-alive\r\nkeep-alive: timeout=72\r\ncontent-length: 22\r\n\r\n/);
    assert.match(text, /\r\nlockstep-position: e1-2s\r\nlockstep-source: view\r\n/);
    assert.deepEqual(bodies(text), [`{"number":1,"limit":${limit}}`]);
  }
});

test('an answer that is sent again and again says where the view is now, and when', async (t) => {
  const { socket, view } = await open(t);
  const dates = new Set<string>();
  for (const lsn of [100, 100, 100, 200, 200, 200]) {
    view.position = { epoch: 'e1', lsn };
    socket.write(get(1));
    const text = await read(socket, ends(1));
    assert.equal(/lockstep-position: (\S+)/.exec(text)?.[1], formatPosition(view.position));
    assert.deepEqual(bodies(text), ['{"number":1,"limit":1}']);
    dates.add(/date: (.+) GMT/.exec(text)![1]!);
    if (dates.size === 1) await sleep(400);
  }
  assert.equal(dates.size, 2, 'the date stands still, or runs');
});

test('requests that come in one piece are answered in their order, and whole', async (t) => {
  const { socket } = await open(t);
  const limits = Array.from({ length: 50 }, (_, i) => 1 + i);
  socket.write(limits.map((limit) => get(limit)).join(''));
  const text = await read(socket, ends(50));
  assert.deepEqual(
    bodies(text),
    limits.map((limit) => `{"number":1,"limit":${limit}}`),
  );
});

test('a connection that is to end does so after its answer', async (t) => {
  for (const request of [
    get(1, 'connection: close\r\n'),
    'GET /sample/numbers?limit=1 HTTP/1.0\r\n\r\n',
    `${get(7)}${get(1, 'connection: close\r\n')}`,
  ]) {
    const { socket } = await open(t);
    socket.write(request);
    const text = await read(socket, () => false);
    assert.match(text, /\r\nconnection: close\r\n/i);
    assert.equal(bodies(text).at(-1), '{"number":1,"limit":1}');
  }
});

test('HEAD has the headers alone', async (t) => {
  const { socket } = await open(t);
  socket.write(`${get(1, '', 'HEAD')}${get(2)}`);
  const text = await read(socket, ends(1));
  assert.deepEqual(bodies(text), ['', '{"number":1,"limit":2}']);
});

test('a client that goes before its answer is ready takes nothing with it', async (t) => {
  const { socket, port, view } = await open(t);
  view.available = false;
  let answer = () => {};
  const read = view.read.bind(view);
  const asked = new Promise<void>((resolve) => {
    view.read = async (...args) => {
      resolve();
      await new Promise<void>((go) => {
        answer = go;
      });
      return read(...args);
    };
  });
  socket.write(get(1));
  await asked;
  socket.destroy();
  await once(socket, 'close');
  answer();
  view.available = true;
  const response = await fetch(`http://127.0.0.1:${port}/sample/numbers?limit=3`);
  assert.deepEqual(await response.json(), { number: 1, limit: 3 });
});

test('a client that does not read is not sent for without end, and gets each answer whole in the end', async (t) => {
  const { app, socket, view } = await open(t);
  view.number = 'x'.repeat(LARGE) as never;
  const taken = new Promise<Socket>((resolve) => app.server.once('request', ({ socket }) => resolve(socket)));
  socket.pause();
  for (let i = 1; i <= 6; i++) {
    socket.write(get(i));
    await sleep(50);
  }
  const waiting = (await taken).writableLength / LARGE;
  assert.ok(waiting < 2.5, `${waiting} answers wait in the socket`); // one being sent, and the one that made it stop reading
  const text = await read(socket, (text) => text.length > 6 * LARGE && text.endsWith('"limit":6}'));
  assert.deepEqual(
    bodies(text).map((body) => body.length),
    Array(6).fill('{"number":"","limit":1}'.length + LARGE),
  );
});

test('a write with a type but no body is refused at once', async (t) => {
  for (const method of ['POST', 'PUT', 'DELETE']) {
    const { socket } = await open(t);
    socket.write(`${method} /sample/numbers HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\r\n`);
    const text = await read(socket, ends(1));
    assert.match(text, /^HTTP\/1\.1 4\d\d /, method);
  }
});
