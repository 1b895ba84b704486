import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { sampleOf } from './sample.ts';

test('a sample fits its schema', () => {
  const schema = Type.Object({
    who: Type.String({ minLength: 6 }),
    points: Type.Integer({ minimum: 5 }),
    kind: Type.Union([Type.Literal('a'), Type.Literal('b')]),
    tags: Type.Array(Type.Object({ on: Type.Boolean(), none: Type.Null() }), { minItems: 2 }),
    note: Type.Optional(Type.String()),
  });
  const sample = sampleOf(schema as never);
  assert.ok(Value.Check(schema, sample), JSON.stringify(sample));
  assert.deepEqual(Object.keys(sample as object), ['who', 'points', 'kind', 'tags']);
});
