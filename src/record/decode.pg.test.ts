import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { testDatabase } from '../testing/database.ts';
import { connectionConfig } from './connections.ts';
import { decodeText } from './decode.ts';
import { silent } from './log.ts';
import { openRecord } from './open.ts';
import { microsToIso } from './time.ts';
import type { Value } from './value.ts';

/** SQL expression, and its value. */
const CASES: readonly [string, Value][] = [
  ['null::integer', null],
  ['(-32768)::smallint', -32768],
  ['2147483647', 2147483647],
  ['(-2147483648)::integer', -2147483648],
  ['0::bigint', 0],
  ['9007199254740991::bigint', 9007199254740991],
  ['(-9007199254740991)::bigint', -9007199254740991],
  ['9007199254740992::bigint', 9007199254740992n],
  ['(-9223372036854775808)::bigint', -9223372036854775808n],
  ['4294967295::oid', 4294967295],
  ['0.1::real', 0.1],
  ['0.1::double precision', 0.1],
  ['1.7976931348623157e308::double precision', Number.MAX_VALUE],
  [`'NaN'::double precision`, Number.NaN],
  [`'-Infinity'::double precision`, Number.NEGATIVE_INFINITY],
  ['true', true],
  ['false', false],
  [`''::bytea`, new Uint8Array()],
  [`'\\x00ff10'::bytea`, new Uint8Array([0, 255, 16])],
  [`timestamptz '1970-01-01 00:00:00.000001Z'`, 1],
  [`timestamptz '1969-12-31 23:59:59.999999Z'`, -1],
  [`timestamp '2020-05-12 18:32:43.409'`, 1589308363409000],
  [`timestamptz '2020-05-12 20:32:43.409+02'`, 1589308363409000],
  [`timestamptz '0001-01-01 00:00:00Z'`, -62135596800000000],
  [`timestamptz '0044-03-15 00:00:00Z BC'`, -63517824000000000],
  [`timestamptz '10000-01-01 00:00:00.5Z'`, 253402300800500000],
  [`timestamptz '294276-12-31 23:59:59Z'`, 9224318015999000000],
  [`timestamptz 'infinity'`, Number.POSITIVE_INFINITY],
  [`timestamp '-infinity'`, Number.NEGATIVE_INFINITY],
  ['1234567890.12345678901234567890', '1234567890.12345678901234567890'],
  [`'x"y\\z'::text`, 'x"y\\z'],
  [`date '2020-02-29'`, '2020-02-29'],
  [`interval '1 day 02:03'`, '1 day 02:03:00'],
  [`'{"b": 1, "a": [2]}'::json`, '{"b": 1, "a": [2]}'],
  [`array[1, null, 3]`, '{1,NULL,3}'],
  [`'00000000-0000-0000-0000-000000000001'::uuid`, '00000000-0000-0000-0000-000000000001'],
];

test('each type comes as the value its table says', async (t) => {
  const { record } = await testDatabase(t);
  const columns = CASES.map(([sql], index) => `${sql} as c${index}`).join(', ');
  const [row] = await record.query(`select ${columns}`);
  for (const [index, [sql, expected]] of CASES.entries()) assert.deepEqual(row![`c${index}`], expected, sql);
});

test('any timestamp and any bigint come as PostgreSQL counts them', async (t) => {
  const { record } = await testDatabase(t);
  // A timestamptz holds microseconds in 64 bits; these are exact in a double.
  const micros = fc.sample(fc.maxSafeInteger(), 500);
  const integers = fc.sample(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), 500);
  const rows = await record.query(
    `select micros, timestamptz 'epoch' + make_interval(secs => 0) + micros * interval '1 microsecond' as at, big, big::text as text
       from unnest($1::bigint[], $2::bigint[]) as u (micros, big)`,
    [micros, integers.map(String)],
  );
  for (const { micros, at, big, text } of rows) {
    assert.equal(at, micros, microsToIso(micros as number));
    assert.equal(String(big), text);
  }
});

test('any double comes back bit for bit', async (t) => {
  const { record } = await testDatabase(t);
  const doubles = fc.sample(fc.double({ noNaN: true }), 500).map((value) => (Object.is(value, -0) ? 0 : value));
  const rows = await record.query('select value from unnest($1::double precision[]) as value', [doubles]);
  assert.deepEqual(
    rows.map(({ value }) => value),
    doubles,
  );
});

test('settings of a role or of the URL do not change the forms', async (t) => {
  const { record, url } = await testDatabase(t);
  const database = /\/(test_\w+)/.exec(url)![1];
  await record.query(`alter database ${database} set datestyle = 'German'`);
  await record.query(`alter database ${database} set timezone = 'Asia/Kolkata'`);
  await record.query(`alter database ${database} set bytea_output = 'escape'`);
  const options = encodeURIComponent('-c statement_timeout=12345');
  const other = await openRecord({ url: `${url}&options=${options}`, log: silent });
  try {
    const [row] = await other.query(
      `select timestamptz '2020-05-12 18:32:43Z' as at, '\\x01'::bytea as bytes, current_setting('statement_timeout') as given`,
    );
    assert.deepEqual(row, { at: 1589308363000000, bytes: new Uint8Array([1]), given: '12345ms' });
  } finally {
    await other.close();
  }
});

test('options of a URL are taken out of it wherever they stand', () => {
  for (const [url, rest] of [
    ['postgres://h/d?options=-c+a%3D1', 'postgres://h/d'],
    ['postgres://h/d?options=-c%20a%3D1&host=%2Fx', 'postgres://h/d?host=%2Fx'],
    ['postgres://h/d?host=%2Fx&options=-c%20a%3D1', 'postgres://h/d?host=%2Fx'],
    ['postgres://h/d?x=1&options=-c%20a%3D1&y=2', 'postgres://h/d?x=1&y=2'],
  ] as const) {
    const config = connectionConfig(url);
    assert.equal(config.connectionString, rest);
    assert.match(config.options, /^-c a=1 -c DateStyle=ISO/);
  }
});

test('text that is no timestamp is an error, not a number', () => {
  assert.throws(() => decodeText(1184, '12.05.2020 18:32:43 UTC'), /not a timestamp/);
  assert.equal(decodeText(1184, '2020-05-12 18:32:43+05:30'), 1589288563000000);
});
