import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readUuid, uuidV7 } from './uuid.ts';

test('uuids are of version 7, of now, in the form of the record, and differ', () => {
  const before = Date.now();
  const made = Array.from({ length: 5000 }, uuidV7);
  const times = made.map((uuid) => Number.parseInt(uuid.replaceAll('-', '').slice(0, 12), 16));
  assert.equal(new Set(made.map((uuid) => uuid.slice(14))).size, made.length);
  for (const [i, uuid] of made.entries()) {
    assert.match(uuid, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.equal(readUuid(uuid.toUpperCase()), uuid);
    assert.ok(times[i]! >= before && times[i]! <= Date.now());
  }
});
