import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters, styleText } from 'node:util';
import { facts, table } from './table.ts';

test('columns line up, whatever their styling', () => {
  const rows = [
    { name: styleText('green', 'ok', { validateStream: false }), size: 7 },
    { name: 'longer', size: 12_000 },
  ];
  const text = table(rows, [
    { heading: 'name', of: (row) => row.name },
    { heading: 'size', of: (row) => String(row.size), align: 'right' },
  ]);
  assert.deepEqual(stripVTControlCharacters(text).split('\n'), ['name     size', 'ok          7', 'longer  12000']);
});

test('no rows still show their headings', () => {
  assert.equal(stripVTControlCharacters(table([], [{ heading: 'name', of: String }])), 'name');
});

test('facts share one width of names', () => {
  assert.equal(
    stripVTControlCharacters(
      facts([
        ['a', '1'],
        ['long', '2'],
      ]),
    ),
    'a     1\nlong  2',
  );
});
