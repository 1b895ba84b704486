import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { describeViolations } from './violation.ts';

const Order = Type.Object(
  {
    kind: Type.Union([Type.Literal('new'), Type.Literal('used')]),
    lines: Type.Array(Type.Object({ item: Type.String({ minLength: 2 }), count: Type.Integer() }), { maxItems: 2 }),
  },
  { additionalProperties: false },
);
const checker = Compile(Order);
const line = { item: 'ab', count: 1 };

const cases: [string, unknown, string][] = [
  ['a missing member', {}, '"kind", "lines" are missing in the body.'],
  ['an unexpected one', { kind: 'new', lines: [], extra: 1 }, '"extra" is not expected in the body.'],
  ['a missing one further in', { kind: 'new', lines: [{ item: 'ab' }] }, '"lines.0.count" is missing in the body.'],
  [
    'a wrong type further in',
    { kind: 'new', lines: [{ item: 'ab', count: '1' }] },
    '"lines.0.count" in the body must be of type integer.',
  ],
  ['one of several', { kind: 'old', lines: [] }, '"kind" in the body must be "new" or be "used".'],
  ['a length', { kind: 'new', lines: [line, line, line] }, '"lines" in the body must not have more than 2 items.'],
];

for (const [name, value, message] of cases) {
  test(`says what is wrong with ${name}`, () => {
    assert.equal(describeViolations(checker.Errors(value) as never, 'body'), message);
  });
}
