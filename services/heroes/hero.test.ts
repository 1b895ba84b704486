import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { INTEGER, readHero, readId, readIds } from './hero.ts';

test('ids are read as they are written, and nothing else is one', () => {
  const id = fc.integer({ min: INTEGER.min, max: INTEGER.max });
  fc.assert(fc.property(fc.array(id, { minLength: 1 }), (ids) => assert.deepEqual(readIds(ids.join()), ids)));
  for (const text of [
    '',
    ',',
    '1,',
    ',1',
    '1,,2',
    '-',
    '1-',
    '--1',
    '+1',
    ' 1',
    '1.5',
    '1e3',
    'x',
    '2147483648',
    '9'.repeat(11),
  ])
    assert.equal(readIds(text), undefined, text);
  fc.assert(
    fc.property(fc.string(), (text) => {
      const ids = readIds(text);
      assert.deepEqual(ids, /^(-?\d{1,10})(,-?\d{1,10})*$/.test(text) ? ids && text.split(',').map(Number) : undefined);
    }),
  );
});

test('numbers are taken as numbers or as digits', () => {
  for (const [sent, read] of [
    [7, 7],
    ['-7', -7],
    ['007', 7],
    [1.5, undefined],
    ['7.0', undefined],
    [true, undefined],
  ] as const)
    assert.equal(readId(sent), read);
  const hero = { hero: 'yes', power: '', name: '名'.repeat(20), xp: '12', color: '𝄞'.repeat(20) };
  assert.deepEqual(readHero(hero), { ...hero, xp: 12 });
  assert.match(String(readHero({ ...hero, name: '名'.repeat(21) })), /^name must be text of at most 20 characters/);
});
