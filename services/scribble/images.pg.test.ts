import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { isoToMicros, microsToIso, nowMicros } from '../../src/index.ts';
import { testApp } from '../../src/testing/app.ts';
import { HEIGHT, PALETTE, WIDTH } from './canvas.ts';
import { lastModified, MinuteImage } from './minute-image.ts';
import { animatedPng, bitPng, indexedPng } from './png.ts';

/** pngjs, an independent decoder, as Playwright carries it. */
const { PNG } = createRequire(import.meta.url)('playwright-core/lib/utilsBundle') as {
  PNG: { sync: { read(bytes: Buffer): { width: number; height: number; data: Buffer; depth: number } } };
};

/** `#rrggbb` of each pixel. */
function pixels(png: Buffer): { width: number; height: number; colors: string[] } {
  const { width, height, data } = PNG.sync.read(png);
  const colors = Array.from({ length: width * height }, (_, i) => `#${data.toString('hex', i * 4, i * 4 + 3)}`);
  return { width, height, colors };
}

/** Each frame of an animated PNG as a PNG of its own, with where it lies. */
function framesOf(png: Buffer): { x: number; y: number; png: Buffer }[] {
  const frames: { x: number; y: number; chunks: Buffer[] }[] = [];
  let palette: Buffer = Buffer.alloc(0);
  const header = Buffer.from(png.subarray(8, 33));
  for (let at = 8; at < png.length; ) {
    const size = png.readUInt32BE(at);
    const type = png.toString('latin1', at + 4, at + 8);
    const data = png.subarray(at + 8, at + 8 + size);
    if (type === 'PLTE') palette = png.subarray(at, at + 12 + size);
    if (type === 'fcTL') {
      const ihdr = Buffer.from(header);
      ihdr.set(data.subarray(4, 12), 8);
      frames.push({ x: data.readUInt32BE(12), y: data.readUInt32BE(16), chunks: [ihdr] });
    }
    if (type === 'IDAT') frames.at(-1)!.chunks.push(idat(data));
    if (type === 'fdAT') frames.at(-1)!.chunks.push(idat(data.subarray(4)));
    at += size + 12;
  }
  return frames.map(({ x, y, chunks: [ihdr, data] }) => ({
    x,
    y,
    png: Buffer.concat([png.subarray(0, 8), checked(ihdr!), palette, data!, checked(bare('IEND'))]),
  }));
}

function bare(type: string, data: Uint8Array = new Uint8Array(0)): Buffer {
  const bytes = Buffer.alloc(data.length + 12);
  bytes.writeUInt32BE(data.length);
  bytes.write(type, 4, 'latin1');
  bytes.set(data, 8);
  return bytes;
}

function idat(data: Uint8Array): Buffer {
  return checked(bare('IDAT', data));
}

/** With a checksum computed bit by bit. Source: PNG, annex D. */
function checked(chunk: Buffer): Buffer {
  let crc = 0xffff_ffff;
  for (const byte of chunk.subarray(4, -4)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb8_8320 : crc >>> 1;
  }
  chunk.writeUInt32BE((crc ^ 0xffff_ffff) >>> 0, chunk.length - 4);
  return chunk;
}

test('a 1-bit PNG, pixel by pixel, also where rows end within a byte', async () => {
  for (const width of [1, 7, 8, 9, 250]) {
    const [height, stride] = [31, Math.ceil(width / 8)];
    const bits = Uint8Array.from({ length: stride * height }, (_, i) => (i * 151 + (i >> 3)) % 256);
    const png = await bitPng({ width, height, bits });
    const read = pixels(png);
    assert.deepEqual([read.width, read.height], [width, height]);
    assert.equal(png[24], 1, 'bits a pixel');
    for (let i = 0; i < width * height; i++) {
      const [x, y] = [i % width, Math.floor(i / width)];
      const drawn = (bits[y * stride + (x >> 3)]! >> (7 - (x & 7))) & 1;
      assert.equal(read.colors[i], drawn ? '#000000' : '#ffffff');
    }
  }
});

test('a PNG in colour, and an animated one, pixel by pixel', async () => {
  const palette = ['#ffffff', '#102030', '#ff0000'];
  const codes = Uint8Array.from({ length: 60 }, (_, i) => i % 3);
  assert.deepEqual(
    pixels(await indexedPng({ width: 10, height: 6, codes, palette })).colors,
    [...codes].map((code) => palette[code]),
  );
  const part = { x: 3, y: 2, width: 2, height: 2, codes: Uint8Array.of(2, 1, 0, 2) };
  const film = await animatedPng({
    frames: [{ x: 0, y: 0, width: 10, height: 6, codes }, part],
    palette,
    frameMs: 100,
  });
  assert.deepEqual(pixels(film).colors.slice(0, 3), palette);
  const [, second] = framesOf(film);
  assert.deepEqual([second!.x, second!.y], [3, 2]);
  assert.deepEqual(pixels(second!.png).colors, ['#ff0000', '#102030', '#ffffff', '#ff0000']);
});

test('Last-Modified is a whole second in which nothing more can be drawn', () => {
  const changed = isoToMicros('2026-11-20T12:00:00.75Z')!;
  assert.equal(lastModified(changed, changed), undefined);
  assert.equal(lastModified(changed, changed + 9_999_999), undefined);
  assert.equal(lastModified(changed, changed + 10_000_000), Date.parse('2026-11-20T12:00:00Z'));
  assert.equal(lastModified(changed, changed - 1), undefined, "PostgreSQL's clock is ahead");
});

test('pictures over HTTP', async (suite) => {
  const app = await testApp(suite);
  const url = `${app.url}/scribble`;
  const insert = async (sql: string) => {
    await app.record.query(sql);
    await app.live.reached({ epoch: app.live.watermark.epoch, lsn: await app.record.flushedLsn() }, 20_000);
  };
  await insert(
    `insert into scribble.points (index, color, address, drawn_at)
      select n * 7919 % 1000000, n % 16, 'psql', '2026-01-01'::timestamptz + n * interval '1 second' from generate_series(1, 3000) n`,
  );
  await insert(
    "insert into scribble.points (index, color, address, drawn_at) values (7919, null, 'psql', '2026-01-02')",
  );

  await suite.test('[SPEC 5] image.png: the canvas, stamped with its position, for caches', async () => {
    const answer = await fetch(`${url}/image.png`);
    const png = Buffer.from(await answer.arrayBuffer());
    const { width, height, colors } = pixels(png);
    assert.deepEqual([width, height], [WIDTH, HEIGHT]);
    const rows = await app.record.query<{ index: number; color: number | null }>(
      'select index, color from scribble.cells',
    );
    const drawn = new Set(rows.filter(({ color }) => color !== null).map(({ index }) => index));
    assert.equal(drawn.size, 2999);
    assert.ok(colors.every((color, index) => color === (drawn.has(index) ? '#000000' : '#ffffff')));
    const header = (name: string) => answer.headers.get(name);
    assert.equal(header('cache-control'), 'public, max-age=60');
    assert.equal(header('content-type'), 'image/png');
    assert.equal(header('last-modified'), 'Fri, 02 Jan 2026 00:00:00 GMT');
    assert.match(header('lockstep-position')!, /^[0-9a-z]+-[0-9a-z]+$/);
    assert.match(header('etag')!, /^"[\w-]{22}"$/);
  });

  await suite.test('image.png: conditional requests are answered 304', async () => {
    const first = await fetch(`${url}/image.png`);
    await first.arrayBuffer();
    const etag = first.headers.get('etag')!;
    const status = async (headers: Record<string, string>, method = 'GET') => {
      const answer = await fetch(`${url}/image.png`, { headers, method });
      const body = await answer.arrayBuffer();
      if (answer.status === 304) {
        assert.equal(body.byteLength, 0);
        assert.equal(answer.headers.get('etag'), etag);
        assert.equal(answer.headers.get('cache-control'), 'public, max-age=60');
      }
      return answer.status;
    };
    assert.equal(await status({ 'if-none-match': etag }), 304);
    assert.equal(await status({ 'if-none-match': `"other", W/${etag}` }), 304);
    assert.equal(await status({ 'if-none-match': '*' }), 304);
    assert.equal(await status({ 'if-none-match': '"other"' }), 200);
    assert.equal(await status({ 'if-modified-since': first.headers.get('last-modified')! }), 304);
    assert.equal(await status({ 'if-modified-since': 'Thu, 01 Jan 2026 00:00:00 GMT' }), 200);
    assert.equal(await status({ 'if-modified-since': 'yesterday' }), 200);
    const both = { 'if-none-match': '"other"', 'if-modified-since': first.headers.get('last-modified')! };
    assert.equal(await status(both), 200, 'If-None-Match goes first');
    assert.equal(await status({}, 'HEAD'), 200);
  });

  await suite.test('an image is at most a minute old, and made once for all who ask', async () => {
    let now = 0;
    const view = app.live.view('scribble/canvas') as never;
    const images = new MinuteImage({ view, now: () => now });
    const [a, b] = await Promise.all([images.get(), images.get()]);
    assert.equal(a, b);
    await insert("insert into scribble.points (index, color, address) values (999999, 1, 'psql')");
    now = 59_999;
    assert.equal(await images.get(), a);
    now = 60_000;
    const next = await images.get();
    assert.notEqual(next.etag, a.etag);
    now = 120_000;
    assert.equal((await images.get()).etag, next.etag, 'the same canvas is the same image');
  });

  await suite.test('two images of one second are not told apart by Last-Modified: they have none', async () => {
    let now = 0;
    const images = new MinuteImage({ view: app.live.view('scribble/canvas') as never, now: () => now });
    const draw = (index: number, at: string) =>
      insert(`insert into scribble.points (index, color, address, drawn_at) values (${index}, 1, 'psql', '${at}')`);
    const second = microsToIso(Math.floor(nowMicros() / 1e6) * 1e6);
    await draw(900_000, second);
    const first = await images.get();
    await draw(900_001, second);
    now = 60_000;
    const next = await images.get();
    assert.notEqual(next.etag, first.etag);
    assert.deepEqual([first.modifiedAt, next.modifiedAt], [undefined, undefined]);
  });

  await suite.test('history: the canvas as it was', async () => {
    const at = async (time: string) => {
      const answer = await fetch(`${url}/history?at=${encodeURIComponent(time)}`);
      assert.equal(answer.status, 200);
      return pixels(Buffer.from(await answer.arrayBuffer())).colors;
    };
    const early = await at('2026-01-01T00:00:10Z');
    assert.equal(early.filter((color) => color !== '#ffffff').length, 10);
    for (let n = 1; n <= 10; n++) assert.equal(early[(n * 7919) % 1_000_000], PALETTE[n % 16]);
    assert.equal((await at('2026-01-01T23:00:00Z'))[7919], PALETTE[1]);
    assert.equal((await at('2026-01-02T00:00:00Z'))[7919], '#ffffff');
    assert.ok((await at('2025-01-01')).every((color) => color === '#ffffff'));
    const wrong = await fetch(`${url}/history?at=noon`);
    assert.equal(wrong.status, 400);
    assert.match(((await wrong.json()) as { message: string }).message, /at must be a time such as/);
  });

  await suite.test('times that PostgreSQL or ISO 8601 has not are refused by name', async () => {
    const answer = async (query: string) => {
      const response = await fetch(`${url}/${query}`);
      return `${response.status} ${response.ok ? '' : ((await response.json()) as { message: string }).message}`;
    };
    for (const time of ['0000-01-01', '0001-01-01T00:00:00%2B01:00', '9999-12-31T23:59:59-01:00', '%2B010000-01-01'])
      for (const [path, name] of [
        ['history?at', 'at'],
        ['timelapse?from', 'from'],
        ['timelapse?to', 'to'],
      ])
        assert.match(
          await answer(`${path}=${time}`),
          new RegExp(`^400 ${name} must be a time .* from the year 1 to 9999`),
        );
    for (const time of ['0001-01-01', '9999-12-31T23:59:59Z']) assert.match(await answer(`history?at=${time}`), /^200/);
    assert.equal(await answer('timelapse?to=0001-01-01'), '400 from must be before to.');
  });

  await suite.test('timelapse: the frames add up to the canvas', async () => {
    const answer = await fetch(`${url}/timelapse?from=2026-01-01&to=2026-01-01T00:50:00Z&frames=10`);
    assert.equal(answer.status, 200, await answer.clone().text());
    const film = Buffer.from(await answer.arrayBuffer());
    const frames = framesOf(film);
    assert.equal(frames.length, 11);
    const shown = Array<string>(WIDTH * HEIGHT).fill('');
    const counts: number[] = [];
    for (const frame of frames) {
      const { width, colors } = pixels(frame.png);
      for (const [i, color] of colors.entries())
        shown[(frame.y + Math.floor(i / width)) * WIDTH + frame.x + (i % width)] = color;
      counts.push(shown.filter((color) => color !== '#ffffff').length);
    }
    assert.deepEqual(counts, [0, 300, 600, 900, 1200, 1500, 1800, 2100, 2400, 2700, 3000]);
    const whole = await fetch(`${url}/history?at=2026-01-01T00:50:00Z`);
    assert.deepEqual(shown, pixels(Buffer.from(await whole.arrayBuffer())).colors);
    assert.equal((await fetch(`${url}/timelapse?frames=301`)).status, 400);
    assert.equal((await fetch(`${url}/timelapse?from=2026-01-02&to=2026-01-01`)).status, 400);
  });
});
