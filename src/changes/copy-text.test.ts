import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readCopyRow } from './copy-text.ts';
import { planColumn, type RowPlan } from './pgoutput/row-plan.ts';

const NAMES: Readonly<Record<string, string>> = {
  '\b': 'b',
  '\f': 'f',
  '\n': 'n',
  '\r': 'r',
  '\t': 't',
  '\v': 'v',
  '\\': '\\',
};

/** As PostgreSQL's CopyAttributeOutText escapes. */
function escaped(text: string): string {
  return text.replaceAll(/[\b\f\n\r\t\v\\]/g, (character) => `\\${NAMES[character]}`);
}

test('rows of COPY text, whatever characters they hold', () => {
  const value = fc.option(
    fc.string({ unit: fc.oneof(fc.constantFrom('\\', 'N', '\t', '\n', '\r', '\v'), fc.constantFrom('é', 'x')) }),
  );
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 6 }), (values) => {
      const columns = values.map((_, i) => planColumn(`c${i}`, 25, false));
      const line = `${values.map((text) => (text === null ? '\\N' : escaped(text))).join('\t')}\n`;
      const bytes = Buffer.from(`junk${line}more`);
      const row = readCopyRow({ columns } as unknown as RowPlan, bytes, 4, 4 + Buffer.byteLength(line));
      assert.deepEqual(Object.values(row), values);
    }),
  );
});
