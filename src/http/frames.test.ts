import assert from 'node:assert/strict';
import type { Writable } from 'node:stream';
import { test } from 'node:test';
import fc from 'fast-check';
import * as ws from 'ws';
import { binaryFrame, textFrames } from './frames.ts';

// Exported by the package, left out of its types.
const { Receiver } = ws as unknown as {
  Receiver: new (options: { isServer: boolean; maxPayload: number }) => Writable;
};

/** What `ws` reads from the bytes of a server. */
async function read(bytes: Buffer): Promise<(string | Buffer)[]> {
  const receiver = new Receiver({ isServer: false, maxPayload: 0 });
  const messages: (string | Buffer)[] = [];
  receiver.on('message', (data: Buffer, isBinary: boolean) => messages.push(isBinary ? data : String(data)));
  await new Promise<void>((resolve) => receiver.end(bytes, () => resolve()));
  return messages;
}

const length = fc.oneof(fc.nat({ max: 200 }), fc.constantFrom(125, 126, 65_535, 65_536, 70_000));

test('frames are read by ws as the messages they were made of', async () => {
  const texts = fc.array(
    fc.oneof(
      fc.string({ unit: 'grapheme' }),
      length.map((n) => 'é'.repeat(n)),
    ),
    { maxLength: 5 },
  );
  await fc.assert(
    fc.asyncProperty(texts, length, async (messages, size) => {
      const payload = Buffer.alloc(size, 7);
      assert.deepEqual(await read(Buffer.concat([textFrames(messages), binaryFrame(payload)])), [...messages, payload]);
    }),
    { numRuns: 100 },
  );
});
