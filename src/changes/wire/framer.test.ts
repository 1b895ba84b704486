import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Framer } from './framer.ts';

function message(type: number, body: Uint8Array): Buffer {
  const header = Buffer.alloc(5);
  header[0] = type;
  header.writeUInt32BE(4 + body.length, 1);
  return Buffer.concat([header, body]);
}

/** As a socket does that reads into one buffer. */
function pushAndOverwrite(framer: Framer, bytes: Buffer): void {
  const chunk = Buffer.from(bytes);
  framer.push(chunk);
  chunk.fill(0);
}

const messages = fc.array(fc.tuple(fc.integer({ min: 65, max: 122 }), fc.uint8Array({ maxLength: 60 })), {
  maxLength: 30,
});

test('the same messages, however the bytes are cut into chunks and whenever it is paused', () => {
  const cuts = fc.array(fc.nat({ max: 2000 }), { maxLength: 40 });
  fc.assert(
    fc.property(messages, cuts, fc.nat({ max: 5 }), (sent, at, pauseEach) => {
      const bytes = Buffer.concat(sent.map(([type, body]) => message(type, body)));
      const seen: [number, Uint8Array][] = [];
      const framer = new Framer({
        onFrame: (type, chunk, start, end) => {
          assert.equal(framer.paused, false);
          seen.push([type, new Uint8Array(chunk.subarray(start, end))]);
          if (pauseEach > 0 && seen.length % pauseEach === 0) framer.pause();
        },
      });
      const edges = [0, ...at.map((edge) => Math.min(edge, bytes.length)).sort((a, b) => a - b), bytes.length];
      for (let i = 1; i < edges.length; i++) pushAndOverwrite(framer, bytes.subarray(edges[i - 1]!, edges[i]!));
      while (framer.paused) framer.resume();
      assert.deepEqual(
        seen,
        sent.map(([type, body]) => [type, new Uint8Array(body)]),
      );
    }),
  );
});

test('a message of many chunks is copied once', () => {
  const body = Buffer.alloc(4 * 1024 * 1024, 7);
  const bytes = message(100, body);
  let seen = 0;
  const framer = new Framer({ onFrame: (_type, _chunk, start, end) => (seen = end - start) });
  const copy = Buffer.prototype.copy;
  let copied = 0;
  Buffer.prototype.copy = function (...args: Parameters<typeof copy>) {
    const count = copy.apply(this, args);
    copied += count;
    return count;
  };
  try {
    for (let at = 0; at < bytes.length; at += 1000) framer.push(bytes.subarray(at, at + 1000));
  } finally {
    Buffer.prototype.copy = copy;
  }
  assert.equal(seen, body.length);
  assert.ok(copied <= bytes.length + 5, `${copied} bytes copied of ${bytes.length}`);
});

test('what is no PostgreSQL connection is refused', () => {
  const framer = new Framer({ onFrame: () => {} });
  assert.throws(() => framer.push(Buffer.from('HTTP/1.1 400 Bad Request\r\n')), /not a PostgreSQL connection/);
});
