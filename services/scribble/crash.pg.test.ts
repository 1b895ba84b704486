import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { freePort, ServerProcess } from '../../src/testing/server-process.ts';
import { testStoreEnv } from '../../src/testing/store.ts';
import { BinaryClient, until } from './test-clients.ts';

const KILLS = 4;

/** A client that draws cells one after another as fast as they are stored, and comes back by itself when it is cut off. */
class Painter {
  /** Cells it was shown, by any client's points or a canvas. */
  readonly shown = new Set<number>();
  client: BinaryClient | undefined;
  resumed = 0;
  #stopped = false;
  #next: number;

  constructor(options: { readonly first: number }) {
    this.#next = options.first;
  }

  async run(t: { after(work: () => void): void }, url: string): Promise<void> {
    while (!this.#stopped) {
      const before = this.client;
      try {
        this.client = await BinaryClient.open(t as never, url, before?.position ? { from: before } : {});
        if (before?.position) this.resumed++;
        await this.#draw(this.client);
      } catch {
        await sleep(20); // the server is down
      }
      this.#note();
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  async #draw(client: BinaryClient): Promise<void> {
    let frame = 0;
    const gone = client.closed.then(() => true);
    while (!this.#stopped) {
      const points = Array.from({ length: 20 }, (_, i) => [(this.#next + i) % 1_000_000, 1 + (frame % 16)] as const);
      client.draw(++frame, points);
      this.#next += 20;
      while (!client.stored.includes(frame)) {
        if (await Promise.race([gone, sleep(1, false)])) return;
      }
    }
  }

  #note(): void {
    for (const [cell] of this.client?.points ?? []) this.shown.add(cell);
  }
}

test('[SPEC 1] kill -9 while drawing at full speed: nothing that a client was shown is missing, clients resume by themselves', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'lockstep-scribble-'));
  const server = new ServerProcess({
    dataDir,
    port: await freePort(),
    env: { LOG_LEVEL: 'warn', LOCKSTEP_RATE_LIMIT: '0', ...(await testStoreEnv()) },
  });
  t.after(async () => {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  });
  server.start();
  await server.ready();
  const painters = Array.from({ length: 6 }, (_, i) => new Painter({ first: i * 150_000 }));
  const running = painters.map((painter) => painter.run(t, `${server.url}/scribble`));
  for (let kill = 0; kill < KILLS; kill++) {
    const known = painters[0]!.client?.points.length ?? 0;
    await until('points to be drawn', () => (painters[0]!.client?.points.length ?? 0) > known + 500 || kill > 0);
    await sleep(150 + kill * 100);
    await server.stop('SIGKILL');
    if (kill % 2 === 1) {
      const postmaster = server.postmaster();
      if (postmaster) process.kill(postmaster, 'SIGKILL');
    }
    server.start();
    await server.ready();
    const resumed = painters.map((painter) => painter.resumed);
    await until('the clients to come back', () =>
      painters.every((painter, i) => painter.client!.socket.readyState === 1 && painter.resumed >= resumed[i]!),
    );
  }
  for (const painter of painters) painter.stop();
  await Promise.all(running);
  const { rows } = await queryOnce(server.databaseUrl!, 'select index, color from scribble.cells order by index');
  const recorded = new Map(rows.map(({ index, color }: { index: number; color: number | null }) => [index, color]));
  const shown = new Set(painters.flatMap((painter) => [...painter.shown]));
  t.diagnostic(`${shown.size} points were shown, ${recorded.size} are in the record, after ${KILLS} kills`);
  assert.ok(shown.size > 1000);
  assert.deepEqual(
    [...shown].filter((cell) => !recorded.has(cell)),
    [],
  );
  const expected = new Uint8Array(1_000_000);
  for (const [index, color] of recorded) expected[index] = color === null ? 0 : color + 1;
  for (const { client, resumed } of painters) {
    assert.ok(resumed >= 1);
    await until('a client to show the record', () => Buffer.compare(client!.codes, expected) === 0);
  }
});

async function queryOnce(databaseUrl: string, sql: string): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    return await client.query(sql);
  } finally {
    await client.end();
  }
}
