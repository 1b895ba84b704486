import fc from 'fast-check';
import { storedContract } from '../views/stored-contract.ts';
import { ROWS_TABLE, type RowQuery, storedRows } from './stored-rows.ts';
import { VALKEYS } from './valkey.ts';

const text = fc.option(fc.string({ maxLength: 5 }), { freq: 9 });

storedContract<RowQuery>({
  name: 'rows of tests',
  definition: storedRows(),
  servers: VALKEYS,
  table: ROWS_TABLE,
  ids: 30,
  row: (id) => fc.record({ id: fc.constant(id), a: fc.option(fc.nat()), b: text }, { noNullPrototype: true }),
  query: fc.record({ id: fc.nat({ max: 31 }) }, { noNullPrototype: true }),
  model(rows, { id }) {
    const row = rows.find((row) => row.id === id);
    return row ? [row.a, row.b] : null;
  },
});
