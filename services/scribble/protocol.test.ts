import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ClientError } from '../../src/index.ts';
import { codeOf, packed, pointText, readAction, readDraw } from './protocol.ts';
import { DEFAULTS, readSettings } from './settings.ts';

const index = fc.nat({ max: 999_999 });
const color = fc.option(fc.nat({ max: 15 }));

test('a point that everybody is told can be sent back as it is', () => {
  fc.assert(
    fc.property(index, color, (cell, drawn) => {
      const told = JSON.parse(pointText(cell, codeOf(drawn))) as { erase?: object };
      const message = told.erase ? { ...told.erase, color: null } : told;
      const action = readAction(JSON.stringify({ action: 'sendMessage', message }));
      assert.deepEqual(action, { action: 'sendMessage', point: { index: cell, color: drawn } });
    }),
  );
  assert.equal(pointText(34_012, codeOf(0)), '{"x":12,"y":34}');
});

test('a binary frame holds its points in their order', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ index, color }, { noNullPrototype: true }), { minLength: 1 }),
      fc.nat({ max: 2 ** 32 - 1 }),
      (points, id) => {
        const bytes = Buffer.alloc(8 + points.length * 4);
        bytes[0] = 1;
        bytes[1] = 8;
        bytes.writeUInt32LE(id, 4);
        for (const [i, point] of points.entries())
          bytes.writeUInt32LE(packed(point.index, codeOf(point.color)), 8 + i * 4);
        assert.deepEqual(readDraw(bytes), { id, points });
      },
    ),
  );
});

test('[SPEC 9] whatever is sent is read or refused with 400', () => {
  const refused = (read: () => unknown) => {
    try {
      read();
    } catch (error) {
      assert.ok(error instanceof ClientError && error.status === 400, String(error));
      assert.ok(error.message.length > 20 && error.message.length < 400, error.message);
    }
  };
  const value = fc.oneof(
    fc.anything(),
    fc.integer({ min: -2, max: 1001 }),
    fc.constantFrom('sendMessage', 'authenticate'),
  );
  const message = fc.record(
    { action: value, message: fc.oneof(value, fc.record({ x: value, y: value, color: value })), token: value },
    { requiredKeys: [] },
  );
  const text = fc.oneof(
    fc.string(),
    fc.json(),
    message.map((each) => JSON.stringify(each, (_, part) => (typeof part === 'bigint' ? 1 : part)) ?? ''),
  );
  fc.assert(
    fc.property(text, (sent) => refused(() => readAction(sent))),
    { numRuns: 500 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (sent) => refused(() => readDraw(Buffer.from(sent)))),
    { numRuns: 500 },
  );
});

test('settings change the defaults; a wrong one names the setting, what was found and what is expected', () => {
  assert.deepEqual(readSettings({ cooldownMs: 500 }), { ...DEFAULTS, cooldownMs: 500 });
  assert.throws(
    () => readSettings({ cooldown: 1 }),
    /services\.scribble\.cooldown: there is no such setting; there are/,
  );
  assert.throws(() => readSettings({ tickMs: -1 }), /tickMs is -1: expected a whole number from 0 to 1000/);
});
