import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { progress } from './progress.ts';

/** A stream that remembers, and a clock that is set by hand. */
function stage({ isTTY, columns }: { isTTY: boolean; columns?: number }) {
  const written: string[] = [];
  const clock = { ms: 0 };
  return {
    written,
    clock,
    stream: { isTTY, columns, write: (text: string) => written.push(text) },
    now: () => clock.ms,
  };
}

test('a terminal sees one bar, redrawn, then the closing text in its place', () => {
  const { written, clock, stream, now } = stage({ isTTY: true, columns: 100 });
  const bar = progress({ label: 'boards', of: 2000, stream, now });
  bar.update(500);
  clock.ms = 10;
  bar.update(600); // Too soon to redraw.
  clock.ms = 1000;
  bar.update(1000);
  bar.done('done');
  assert.deepEqual(
    written.map((text) => stripVTControlCharacters(text).replace('\r', '')),
    [
      `boards ${'━'.repeat(24)} 25 %  500 of 2,000  0.0 s`,
      `boards ${'━'.repeat(24)} 50 %  1,000 of 2,000  1.0 s`,
      '',
      'done\n',
    ],
  );
});

test('a bar is never wider than its terminal', () => {
  const { written, stream, now } = stage({ isTTY: true, columns: 40 });
  progress({ label: 'boards', of: 2000, stream, now }).update(500);
  assert.equal(stripVTControlCharacters(written.join('')).replace('\r', '').length, 39);
});

test('elsewhere a plain line now and then, and no control characters', () => {
  const { written, clock, stream, now } = stage({ isTTY: false });
  const bar = progress({ label: 'boards', stream, now });
  for (clock.ms = 0; clock.ms <= 5000; clock.ms += 100) bar.update(clock.ms, 10_000);
  bar.done('read 5,000 games');
  assert.deepEqual(written, [
    'boards: 20 %  2,000 of 10,000\n',
    'boards: 40 %  4,000 of 10,000\n',
    'read 5,000 games\n',
  ]);
});
