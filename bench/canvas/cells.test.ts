import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cells } from './cells.ts';

test('bitmaps are equal when exactly the same cells are set', () => {
  const of = (...cells: number[]) => {
    const bitmap = new Cells();
    for (const cell of cells) bitmap.set(cell);
    return bitmap;
  };
  assert.ok(of(1, 8191, 8192, 999_999).equals(of(999_999, 8192, 8191, 1, 1)));
  for (const other of [
    of(),
    of(1),
    of(1, 8191, 8192),
    of(1, 8191, 8192, 999_998),
    of(1, 8191, 8192, 999_999, 500_000),
  ]) {
    assert.ok(!of(1, 8191, 8192, 999_999).equals(other));
    assert.ok(!other.equals(of(1, 8191, 8192, 999_999)));
  }
  const cleared = of(1, 70_000);
  cleared.clear(70_000);
  cleared.clear(900_000);
  assert.ok(cleared.equals(of(1)) && of(1).equals(cleared));
});
