import { VALKEYS } from '../../../testing/valkey.ts';
import { bitmap } from '../../bitmap/bitmap.ts';
import { modelAnswer } from '../../bitmap/model.ts';
import type { BitmapQuery } from '../../bitmap/queries.ts';
import { query, row, SHAPE, TABLE } from '../../bitmap/test-cells.ts';
import { storedContract } from '../../stored-contract.ts';

const shape = { ...SHAPE, height: 20 };

storedContract<BitmapQuery>({
  name: 'bitmap in Valkey',
  definition: bitmap(shape),
  servers: VALKEYS,
  table: TABLE,
  ids: 90,
  row,
  query,
  model: (rows, asked) => modelAnswer(shape, rows, asked),
});
