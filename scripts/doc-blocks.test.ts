import assert from 'node:assert/strict';
import { test } from 'node:test';
import { docBlocks, mismatch } from './doc-blocks.ts';

const markdown = ['# Title', '```sh', 'not run', '```', '```sh run', 'a \\', '  b', '#=> 1…3', '', 'c', '```', ''].join(
  '\n',
);

test('only blocks marked to be run are found, in steps that end with what they print', () => {
  assert.deepEqual(docBlocks(markdown), [
    {
      language: 'sh',
      line: 6,
      steps: [
        { code: 'a \\\n  b', expected: ['1…3'] },
        { code: '\nc', expected: [] },
      ],
    },
  ]);
});

test('an expected line matches a whole printed line, with … for anything', () => {
  assert.equal(mismatch('x\n{"a":1,"b":[2]}\n', ['{"a":…}']), undefined);
  assert.match(mismatch('{"a":1}', ['{"a":2}'])!, /expected to be printed:\n\{"a":2\}\nprinted:\n\{"a":1\}/);
});
