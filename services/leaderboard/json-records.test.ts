import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BadRecord, JsonRecords } from './json-records.ts';

/** The records of a text read in pieces of `size` bytes, each with its line. */
function read(text: string | Uint8Array, size = 1 << 16): [unknown, number][] {
  const bytes = Buffer.from(text as string);
  const seen: [unknown, number][] = [];
  const records = new JsonRecords({ onRecord: (value, line) => seen.push([value, line]) });
  for (let at = 0; at < bytes.length; at += size) records.push(bytes.subarray(at, at + size));
  records.end();
  return seen;
}

function refusal(text: string | Uint8Array, size?: number): string {
  try {
    read(text, size);
  } catch (error) {
    assert.ok(error instanceof BadRecord);
    return error.message;
  }
  return assert.fail('was accepted');
}

test('reads JSON lines and JSON arrays, however they are laid out and cut into chunks', () => {
  const values = fc.array(fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue()), { maxLength: 8 });
  const layouts: ((list: unknown[]) => string)[] = [
    (list) => list.map((value) => JSON.stringify(value)).join('\n'),
    (list) => list.map((value) => `${JSON.stringify(value)}\r\n\r\n`).join(''),
    (list) => JSON.stringify(list),
    (list) => `\ufeff${JSON.stringify(list, null, 2)}\n`,
  ];
  fc.assert(
    fc.property(values, fc.constantFrom(...layouts), fc.integer({ min: 4, max: 40 }), (list, layout, size) => {
      const seen = read(layout(list), size).map(([value]) => value);
      assert.deepEqual(JSON.stringify(seen), JSON.stringify(list));
    }),
  );
});

test('knows the line of each record', () => {
  assert.deepEqual(read('{"a":1}\n\n{"a":2}'), [
    [{ a: 1 }, 1],
    [{ a: 2 }, 3],
  ]);
  assert.deepEqual(read('[\n  {"a":\n1},\n{"a":2}, {"a":3}]'), [
    [{ a: 1 }, 2],
    [{ a: 2 }, 4],
    [{ a: 3 }, 4],
  ]);
});

test('says where a file goes wrong, and hands out what comes before', () => {
  assert.match(refusal('{"a":1}\n{"a":'), /^line 2: not valid JSON/);
  assert.equal(refusal('[{"a":1}\n{"a":2}]'), 'line 2: expected "," or "]", found "{"');
  assert.equal(refusal('[{"a":1},]'), 'line 1: expected an object, found "]"');
  assert.equal(refusal('[1]'), 'line 1: expected an object or "]", found "1"');
  assert.equal(refusal('[{"a":1}] x'), 'line 1: expected the end of the file, found "x"');
  assert.equal(refusal('[{"a":1}'), 'line 1: the array has no "]": the file is cut off');
  assert.equal(refusal('[{"a":1},\n{"b":'), 'line 2: the record has no end: the file is cut off');
  assert.equal(refusal(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d, 0x0a])), 'line 1: the text is not UTF-8');
  assert.match(refusal(`[{"a":"${'x'.repeat(2_000_000)}`), /^line 1: the record is longer than 1048576 bytes/);
});

test('an empty file has no records', () => {
  for (const text of ['', ' \n', '[]', ' [ ]\n']) assert.deepEqual(read(text), []);
});
