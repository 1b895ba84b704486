import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type StoreProxy, storeProxy } from '../fault-proxy.ts';
import { startValkey, type TestValkey } from '../valkey.ts';

const AWAY_MS = 300;
const AT_ONCE = ['--repl-diskless-sync-delay', '0'];

/** A store and its replica behind one address, as a service that fails over by itself has it. */
export class ChaosStore {
  readonly #proxy: StoreProxy;
  #master: TestValkey;
  #replica: TestValkey;

  private constructor(proxy: StoreProxy, master: TestValkey, replica: TestValkey) {
    this.#proxy = proxy;
    this.#master = master;
    this.#replica = replica;
  }

  static async start(t: Pick<TestContext, 'after'>): Promise<ChaosStore> {
    const [master, replica] = [await startValkey({ args: AT_ONCE }), await startValkey({ args: AT_ONCE })];
    t.after(async () => void (await Promise.all([master.stop(), replica.stop()])));
    const store = new ChaosStore(await storeProxy(t, master.port), master, replica);
    await store.#follow();
    return store;
  }

  get url(): string {
    return this.#proxy.url;
  }

  async flush(): Promise<string> {
    await this.#master.command('FLUSHALL');
    return '';
  }

  /** It comes back with nothing. */
  async restart(): Promise<string> {
    await this.#master.kill();
    await sleep(AWAY_MS);
    await this.#master.start();
    return '';
  }

  async cut(): Promise<string> {
    for (const type of ['normal', 'pubsub']) await this.#master.command('CLIENT', 'KILL', 'TYPE', type).catch(() => {});
    return '';
  }

  /** Promotes the replica, which has not heard of the last `behindMs` milliseconds. */
  async failOver(behindMs: number): Promise<string> {
    this.#replica.pause();
    await this.#master.command('CLIENT', 'KILL', 'TYPE', 'REPLICA').finally(() => sleep(behindMs));
    await this.#master.kill();
    this.#replica.resume();
    await this.#replica.command('REPLICAOF', 'NO', 'ONE');
    [this.#master, this.#replica] = [this.#replica, this.#master];
    this.#proxy.leadTo(this.#master.port);
    await this.#replica.start();
    await this.#follow();
    return `to port ${this.#master.port}, ${behindMs} ms behind`;
  }

  async #follow(): Promise<void> {
    await this.#replica.command('REPLICAOF', '127.0.0.1', String(this.#master.port));
  }
}
