import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import heroes from '../../services/heroes/service.ts';
import leaderboard from '../../services/leaderboard/service.ts';
import { TestClient } from '../../services/leaderboard/test-client.ts';
import { databaseOf } from '../changes/epoch.ts';
import { readLog } from '../changes/record-epoch.ts';
import { slotOf } from '../views/stores/valkey/wire/slots.ts';
import { type TestApp, testServices } from './services.ts';
import { startValkeyCluster, type TestValkey } from './valkey.ts';

const AT_ONCE = ['--repl-diskless-sync-delay', '0'];
const PATIENCE_MS = 90_000;

async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + PATIENCE_MS; !(await condition().catch(() => false)); await sleep(10)) {
    if (Date.now() > deadline) assert.fail(`never: ${what}`);
  }
}

/** Writes ever higher scores, to a board and to a hero, and reads them all the while: never less than was written or read before. */
class Play {
  readonly #client: TestClient;
  readonly #app: TestApp;
  #hero = 0;
  #board = { score: 0, position: '' };
  #cached = { score: 0, position: '' };
  #over = false;
  #running: Promise<unknown> = Promise.resolve();
  /** Reads of the board by where their answers came from. */
  readonly sources = { view: 0, record: 0 };

  constructor(app: TestApp) {
    this.#app = app;
    this.#client = new TestClient(app);
  }

  async start(): Promise<void> {
    const token = await this.#client.account('ann');
    const made = await this.#heroes('POST', '', { hero: 'yes', name: 'flash', power: 'speed', color: 'red', xp: 0 });
    this.#hero = (made.body as { id: number }).id;
    const loops = [() => this.#write(token), () => this.#readBoard(), () => this.#readHero()];
    this.#running = Promise.all(loops.map((loop) => this.#repeat(loop)));
    this.#running.catch(() => {}); // `stop` tells
  }

  async stop(): Promise<void> {
    this.#over = true;
    await this.#running;
  }

  /** Waits for so many more answers of the view, to something that was written since. */
  async more(count: number): Promise<void> {
    const { score } = this.#board;
    const wanted = this.sources.view + count;
    await until(`${count} more answers of the view`, async () => {
      if (this.#over) await this.#running;
      return this.sources.view >= wanted && this.#board.score > score;
    });
  }

  async #repeat(work: () => Promise<void>): Promise<void> {
    try {
      for (; !this.#over; await sleep(2)) await work();
    } finally {
      this.#over = true;
    }
  }

  async #write(token: string): Promise<void> {
    const score = Math.max(this.#board.score, this.#cached.score) + 1;
    const body = { level: 1, score };
    const [played, changed] = await Promise.all([
      this.#client.call('POST', '/users/ann', { token, body }),
      this.#heroes('PATCH', `${this.#hero}`, { xp: score }),
    ]);
    for (const { status, body } of [played, changed]) assert.ok(status === 200 || status >= 500, JSON.stringify(body));
    if (played.status === 200) this.#board = { score, position: played.headers.get('lockstep-position')! };
    if (changed.status === 200) this.#cached = { score, position: changed.headers.get('lockstep-position')! };
  }

  async #readBoard(): Promise<void> {
    const { score, position } = this.#board;
    const read = await this.#client.call('GET', '/users/ann', { headers: after(position) });
    if (read.status !== 200) return;
    const source = read.headers.get('lockstep-source') as 'view' | 'record';
    const best = (read.body as { score: number }[])[0]?.score ?? 0;
    assert.ok(best >= score, `${best}, not ${score}, from the ${source}`);
    this.sources[source]++;
  }

  async #readHero(): Promise<void> {
    const { score, position } = this.#cached;
    const { status, body, headers } = await this.#heroes('GET', `${this.#hero}`, undefined, after(position));
    const { xp } = body as { xp: number };
    if (status === 200) assert.ok(xp >= score, `${xp}, not ${score}, from the ${headers.get('lockstep-source')}`);
  }

  async #heroes(method: string, path: string, body?: object, headers: Record<string, string> = {}) {
    const answer = await fetch(`${this.#app.url}/heroes/${path}`, {
      method,
      headers: { ...(body && { 'content-type': 'application/json' }), ...headers },
      ...(body && { body: JSON.stringify(body) }),
    });
    return { status: answer.status, body: (await answer.json()) as unknown, headers: answer.headers };
  }
}

/** Half of the reads wait for a position, the others take what the node has: neither may be older than what was acknowledged. */
let reads = 0;
function after(position: string): Record<string, string> {
  return position && reads++ % 2 === 0 ? { 'lockstep-min-position': position } : {};
}

async function clusterOf(t: TestContext) {
  const cluster = await startValkeyCluster({ replicas: true, args: AT_ONCE });
  const app = await testServices(t, [leaderboard, heroes] as never, { valkeyUrl: cluster.url });
  t.after(() => cluster.stop());
  const pointer = `lockstep:${databaseOf(await readLog(app.record))}:{leaderboard/games:0}`;
  const owner = Math.floor(slotOf(pointer) / Math.ceil(16_384 / 3));
  const [master, replica] = [cluster.nodes[owner]!, cluster.replicas[owner]!];
  const generation = async (at: TestValkey) => Number(await at.command('HGET', pointer, 'generation'));
  return { app, master, replica, generation };
}

test('[SPEC 5] [SPEC 6] [rule 5] a Cluster’s master dies, and its replica, which was behind, is promoted: no read is stale, the views are built anew', async (t) => {
  const { app, master, replica, generation } = await clusterOf(t);
  const play = new Play(app);
  await play.start();
  t.after(() => play.stop().catch(() => {}));
  await play.more(20);
  const before = await generation(master);
  replica.pause();
  await master.command('CLIENT', 'KILL', 'TYPE', 'REPLICA');
  await play.more(20); // the replica does not get it
  await master.kill();
  replica.resume();
  await until('the replica is promoted', async () => /role:master/.test(String(await replica.command('INFO'))));
  await play.more(20);
  await play.stop();
  assert.ok((await generation(replica)) > before, 'built anew');
  for (const view of app.views) {
    await until('it can be verified', async () => {
      const { drift, examples } = await view.verify();
      assert.equal(drift, 0, JSON.stringify(examples));
      return true;
    });
  }
  t.diagnostic(`reads: ${play.sources.view} from the view, ${play.sources.record} from the record`);
});
