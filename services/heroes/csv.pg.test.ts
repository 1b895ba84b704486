import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testApp } from '../../src/testing/app.ts';
import { exportHeroes, importHeroes } from './csv.ts';
import { HeroesClient, hero } from './test-client.ts';

const HEADER = 'id,hero,power,name,xp,color\n';

async function* chunksOf(text: string, size = 1000): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

test('heroes as CSV', async (t) => {
  const app = await testApp(t);
  const { record } = app;
  const client = new HeroesClient(app);
  const load = (text: string, size?: number) => importHeroes({ record, chunks: chunksOf(text, size) });
  const exported = async () => {
    let text = '';
    await exportHeroes(record, async (block) => {
      text += block;
    });
    return text;
  };
  const count = async () => (await record.query<{ n: number }>('select count(*) as n from heroes.heroes'))[0]!.n;

  await t.test('what is exported is what was imported, with a header or without, in chunks of any size', async () => {
    const lines = [
      '1,yes,fire,fireman,10,red\n',
      '2,no,"a ""b"", c",Zoë 名前 𝄞,-7,""\n',
      '3,"\\.","\\N"," spaces ",2147483647,"two\nlines"\n',
    ].join('');
    for (const [text, size] of [
      [HEADER + lines, 1],
      [lines, 7],
      [`\ufeff${HEADER.toUpperCase()}${lines}`, 1000],
      [`"id", "hero", "power", "name", "xp", "color"\r\n${lines}`, 1000],
    ] as const) {
      await record.query('truncate heroes.heroes');
      assert.equal((await load(text, size)).value, 3);
      assert.equal(await exported(), HEADER + lines);
    }
    const old = `${lines.slice(0, lines.indexOf('3,'))}4,no,hide,invisible,20,none\n`;
    for (const end of ['\r', '\r\n', '\n']) {
      for (const [text, size] of [
        [HEADER + old, 1],
        [HEADER + old, HEADER.length],
        [old, 1000],
      ] as const) {
        await record.query('truncate heroes.heroes');
        assert.equal((await load(text.replaceAll('\n', end), size)).value, 3, JSON.stringify([end, size]));
        assert.equal(await exported(), HEADER + old);
      }
    }
    await record.query('truncate heroes.heroes');
    for (const text of ['', HEADER, HEADER.trim(), HEADER.replace('\n', '\r')])
      assert.equal((await load(text)).value, 0);
  });

  await t.test('ids go on from the highest', async () => {
    await load('500,yes,fire,fireman,10,red\n');
    assert.equal((await client.call('POST', '', hero())).body.id, 501);
  });

  await t.test('the first bad line is named, and nothing is stored', async () => {
    const before = await count();
    const good = Array.from({ length: 2000 }, (_, i) => `${1000 + i},yes,fire,fireman,10,red\n`).join('');
    const bad: [string, RegExp][] = [
      ['3000,yes,fire,fireman,ten,red', /^line 2001: xp must be a whole number, found "ten"\. Nothing was stored\.$/],
      [
        '3000,yes,fire,fireman,3000000000,red',
        /^line 2001: xp must be from -2147483648 to 2147483647, found "3000000000"/,
      ],
      ['x,yes,fire,fireman,1,red', /^line 2001: id must be a whole number, found "x"/],
      [`3000,yes,fire,${'x'.repeat(21)},1,red`, /^line 2001: name must be at most 20 characters, found "xxx/],
      ['3000,yes,fire,fireman,,red', /^line 2001: xp is missing/],
      ['3000,yes,fire,fireman,1', /^line 2001: expected id,hero,power,name,xp,color: missing data for column "color"/],
      ['3000,yes,fire,fireman,1,red,more', /^line 2001: expected .*: extra data after last expected column/],
      ['3000,yes,fire,fire\0man,1,red', /^line 2001: the text is not UTF-8, or has a character U\+0000/],
      ['1007,yes,fire,fireman,1,red', /^line 2001: there is a hero with the id 1007 already/],
    ];
    for (const [line, message] of bad) await assert.rejects(load(`${good}${line}\n`), { status: 400, message });
    await assert.rejects(load(`${HEADER}${good}500,yes,fire,fireman,1,red\n`), {
      message: /^line 2002: there is a hero/,
    });
    assert.equal(await count(), before);
  });

  await t.test('is uploaded as a stream, and what is imported is read at once', async () => {
    assert.equal((await client.read([7001])).status, 404);
    const csv = Array.from({ length: 20_000 }, (_, i) => `${7001 + i},yes,fire,imported,${i},red\n`).join('');
    const { status, body } = await client.call('POST', '/import', HEADER + csv, { 'content-type': 'text/csv' });
    assert.deepEqual([status, body.heroes], [200, 20_000]);
    assert.deepEqual(
      (await client.read([27_000, 7001])).body.body.map((each: { xp: number }) => each.xp),
      [19_999, 0],
    );
    const again = await client.call('POST', '/import', csv, { 'content-type': 'text/csv' });
    assert.equal(again.status, 400);
    assert.match(again.body.message, /^line 1: there is a hero with the id 7001 already/);
    assert.equal((await client.call('POST', '/import', { not: 'a file' })).status, 400);
  });

  await t.test('a million rows', async () => {
    async function* million() {
      for (let block = 0; block < 100; block++) {
        yield Buffer.from(
          Array.from({ length: 10_000 }, (_, i) => `${1e6 + block * 10_000 + i},yes,fire,fireman,10,red\n`).join(''),
        );
      }
    }
    assert.equal((await importHeroes({ record, chunks: million() })).value, 1_000_000);
  });
});
