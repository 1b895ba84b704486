import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { describeError } from './failure.ts';

const plain = (error: unknown, debug = false) => stripVTControlCharacters(describeError(error, { debug }));

test('an error is one line, with the causes that add something', () => {
  const error = new Error('cannot connect\nto the record', { cause: new Error('connect ECONNREFUSED 127.0.0.1:5432') });
  assert.equal(plain(error), 'error: cannot connect to the record: connect ECONNREFUSED 127.0.0.1:5432');
  assert.equal(plain(new Error('a: b', { cause: new Error('b') })), 'error: a: b');
});

test('an empty aggregate tells its first error', () => {
  assert.equal(plain(new AggregateError([new Error('refused')])), 'error: refused');
});

test('the stack only when debugging', () => {
  assert.match(plain(new Error('x'), true), /error: Error: x\n {4}at /);
  assert.equal(plain('text'), 'error: text');
});
