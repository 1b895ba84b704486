import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { type WebSocket as ServerSocket, WebSocketServer } from 'ws';
import { LiveClient, type TopicMessage } from './live.ts';

const TOPIC = 'sample/posts/home';

/** A server that says what the test has it say: faults that a real one does not have at will. */
async function server(t: TestContext) {
  const listening = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  t.after(() => {
    for (const socket of listening.clients) socket.terminate();
    listening.close();
  });
  await once(listening, 'listening');
  const asked: Record<string, unknown>[] = [];
  const waiting: (() => void)[] = [];
  let current: ServerSocket | undefined;
  listening.on('connection', (socket) => {
    current = socket;
    socket.on('message', (data) => {
      const message = JSON.parse(String(data)) as Record<string, unknown>;
      asked.push(message);
      if (message.subscribe) socket.send(JSON.stringify({ subscribed: message.subscribe }));
      for (const go of waiting.splice(0)) go();
    });
  });
  const url = `ws://127.0.0.1:${(listening.address() as AddressInfo).port}`;
  const say = (message: Partial<TopicMessage>) =>
    current!.send(JSON.stringify({ topic: TOPIC, event: 'event', previous: null, data: [], ...message }));
  const heard = () => new Promise<void>((resolve) => waiting.push(resolve));
  return { url, asked, say, heard, drop: () => current!.terminate() };
}

/** Follows the topic; what it is told, as `event position`. */
function follow(t: TestContext, url: string) {
  const client = new LiveClient({ url });
  t.after(() => client.close());
  const told: string[] = [];
  let expected: { count: number; resolve: () => void } | undefined;
  client.follow(TOPIC, {
    onMessage({ event, position }) {
      told.push(`${event} ${position}`.trim());
      if (expected && told.length >= expected.count) expected.resolve();
    },
  });
  const until = (count: number) =>
    new Promise<void>((resolve) => {
      expected = { count, resolve };
      if (told.length >= count) resolve();
    });
  return { client, told, until };
}

test('[rule 20] an event that does not follow the one before is a gap: the follower is told to start over', async (t) => {
  const { url, say } = await server(t);
  const { told, until } = follow(t, url);
  await until(1);
  say({ position: 'e-1' });
  say({ position: 'e-2', previous: 'e-1' });
  say({ position: 'e-4', previous: 'e-3' });
  say({ position: 'e-5', previous: 'e-4' });
  await until(6);
  assert.deepEqual(told, ['resync', 'event e-1', 'event e-2', 'resync', 'event e-4', 'event e-5']);
});

test('[rule 20] a signal tells of a gap too; a state, which is whole, of none; what comes twice is told once', async (t) => {
  const { url, say } = await server(t);
  const { told, until } = follow(t, url);
  await until(1);
  say({ position: 'e-1' });
  say({ position: 'e-1' });
  say({ position: 'e-3', event: 'signal', previous: 'e-1' });
  say({ position: 'e-4', previous: 'e-1' });
  say({ position: 'e-9', event: 'signal', previous: 'e-8' });
  say({ position: 'e-10', event: 'state', previous: 'e-5' });
  await until(7);
  const expected = ['resync', 'event e-1', 'signal e-3', 'event e-4', 'resync', 'signal e-9', 'state e-10'];
  assert.deepEqual(told, expected);
});

test('[SPEC 3] [rule 20] after a lost connection it resumes where it was, and sees a gap across the two', async (t) => {
  const { url, asked, say, heard, drop } = await server(t);
  const { told, until } = follow(t, url);
  await until(1);
  say({ position: 'e-1' });
  await until(2);
  const again = heard();
  drop();
  await again;
  assert.deepEqual(asked.at(-1), { subscribe: TOPIC, from: 'e-1' });
  say({ position: 'e-3', previous: 'e-2' });
  await until(4);
  assert.deepEqual(told, ['resync', 'event e-1', 'resync', 'event e-3']);
});

test('[SPEC 3] [rule 1] after a failover nothing is left of the old log: no position to resume from, no event that others must follow', async (t) => {
  const { url, asked, say, heard, drop } = await server(t);
  const { told, until } = follow(t, url);
  await until(1);
  say({ position: 'e-9' });
  say({ position: 'f-5', event: 'resync' });
  say({ position: 'f-6' });
  say({ position: 'g-1', event: 'resync' });
  await until(5);
  const again = heard();
  drop();
  await again;
  assert.deepEqual(asked.at(-1), { subscribe: TOPIC, from: null });
  say({ position: 'g-2' });
  await until(7);
  assert.deepEqual(told, ['resync', 'event e-9', 'resync f-5', 'event f-6', 'resync g-1', 'resync', 'event g-2']);
});

test('a token that has run out is followed by a new connection, not by a storm of them', async (t) => {
  const { url, asked, say, heard } = await server(t);
  const { told, until } = follow(t, url);
  await until(1);
  say({ position: 'e-1' });
  await until(2);
  const again = heard();
  const began = performance.now();
  // Without a topic: the session has ended.
  say({ topic: undefined, event: undefined, error: { status: 401, message: 'The token has run out.' } } as never);
  await again;
  assert.ok(performance.now() - began > 900);
  assert.deepEqual(asked.at(-1), { subscribe: TOPIC, from: 'e-1' });
  assert.deepEqual(told, ['resync', 'event e-1']);
});

test('without a WebSocket, as before Node 22, it says what to do', (t) => {
  t.mock.property(globalThis, 'WebSocket' as never, undefined as never);
  assert.throws(() => follow(t, 'ws://localhost:1'), /needs WebSocket: a browser, or Node 22 or newer/);
});
