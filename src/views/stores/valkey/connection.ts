import { ErrorReply } from 'redis';
import type { Argument } from '../../stored.ts';
import { errorFrom, StoreUnavailable } from './errors.ts';
import { readInfo, type ServerInfo, unfitness } from './fitness.ts';
import { parseValkeyUrl, type ValkeyAddress } from './url.ts';
import type { Command, Link } from './wire/link.ts';
import { Routes } from './wire/routes.ts';
import type { Script } from './wire/script.ts';
import { slotOf } from './wire/slots.ts';
import { type Listener, Subscriber } from './wire/subscriber.ts';

export type { Command } from './wire/link.ts';

/**
 * A server or a cluster. What is asked in one turn of the event loop goes out in one write for each server. Nothing is retried
 * but what a server said it did not do; while a server is away, what is asked of it fails at once (`StoreUnavailable`).
 */
export interface ValkeyConnection {
  readonly isCluster: boolean;
  /** Commands on keys of one hash slot: the replies in order, an `Error` in the place of one that failed. */
  pipeline(key: string, commands: readonly Command[]): Promise<unknown[]>;
  /** Runs a script on the server that has its keys, in a cluster all of one slot. Bulk strings as text, or as they are (`bytes`). */
  run(script: Script, keys: string | readonly string[], args: readonly Argument[], bytes?: boolean): Promise<unknown>;
  /** One command; its first argument is its key, where it has one. */
  command(...args: readonly string[]): Promise<unknown>;
  /** Every key that matches and is there all the while, some of them twice; block by block. */
  scan(pattern: string, onKeys: (keys: readonly string[]) => Promise<void>): Promise<void>;
  /** The same command on every server that has keys; throws when one of them does not answer. */
  everywhere(...command: Command): Promise<unknown[]>;
  /** Resolves when so many replicas of each server have everything that was written on this connection before. */
  replicated(replicas: number): Promise<void>;
  /** Resolves when the server has it; rejects when that is not known. */
  publish(channel: string, message: Buffer): Promise<void>;
  /** Every message from now on, in order for each sender; `subscribed` is called each time that some may have been missed before. */
  subscribe(channel: string, listener: Listener, subscribed?: () => void): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

export interface ConnectOptions {
  readonly url: string;
  /** How long the first connection may take; 5,000 unless told. */
  readonly timeoutMs?: number;
}

export interface Connected {
  readonly connection: ValkeyConnection;
  readonly server: ServerInfo;
}

/** Connects, and checks that views may live there. Throws an error that says what to do. */
export async function connectStore({ url, timeoutMs = 5000 }: ConnectOptions): Promise<Connected> {
  const address = parseValkeyUrl(url);
  if (!address)
    throw new Error('VALKEY_URL is no URL of a store; expected one such as redis://user:password@host:6379.');
  const connection = new Connection(address);
  try {
    return { connection, server: await connection.open(timeoutMs) };
  } catch (error) {
    await connection.close();
    throw error;
  }
}

/** Keys that a server looks at in one call. */
const SCAN_KEYS = '1000';
/** One wait for replicas; shorter than the silence by which a server is taken for dead. */
const WAIT_MS = 500;

class Connection implements ValkeyConnection {
  readonly #address: ValkeyAddress;
  readonly #routes: Routes;
  #subscriber: Subscriber | null = null;

  constructor(address: ValkeyAddress) {
    this.#address = address;
    this.#routes = new Routes(address);
  }

  get isCluster(): boolean {
    return this.#routes.isCluster;
  }

  async open(timeoutMs: number): Promise<ServerInfo> {
    const first = await this.#routes.open(timeoutMs);
    const info = await fitInfo(first);
    const cluster = /^(redis|server)_mode:cluster\r?$/m.test(info);
    if (this.#address.cluster && !cluster) {
      throw new Error('VALKEY_URL names a Cluster, but its server is none; name one host, without ?cluster=true.');
    }
    if (cluster) {
      await this.#routes.asCluster(timeoutMs);
      await Promise.all(this.#routes.masters.map(fitInfo));
    }
    return readInfo(info);
  }

  pipeline(key: string, commands: readonly Command[]): Promise<unknown[]> {
    return this.#routes.send(slotOf(key), commands, false);
  }

  async run(
    script: Script,
    keys: string | readonly string[],
    args: readonly Argument[],
    bytes = false,
  ): Promise<unknown> {
    const all = typeof keys === 'string' ? [keys] : keys;
    const given = [String(all.length), ...all, ...args];
    const slot = this.isCluster ? slotOf(all[0]!) : 0;
    const [known] = await this.#routes.send(slot, [['EVALSHA', script.sha, ...given]], bytes);
    if (!(known instanceof ErrorReply)) return known;
    if (!known.message.startsWith('NOSCRIPT')) throw errorFrom(known, 'the store');
    const [reply] = await this.#routes.send(slot, [['EVAL', script.source, ...given]], bytes);
    return result(reply);
  }

  async command(name: string, ...args: readonly string[]): Promise<unknown> {
    const [reply] = await this.pipeline(args[0] ?? '', [[name, ...args]]);
    return result(reply);
  }

  async scan(pattern: string, onKeys: (keys: readonly string[]) => Promise<void>): Promise<void> {
    for (const link of this.#routes.masters) {
      let cursor = '0';
      do {
        const [reply] = await link.send([['SCAN', cursor, 'MATCH', pattern, 'COUNT', SCAN_KEYS]]);
        const [next, keys] = result(reply) as [string, string[]];
        if (keys.length > 0) await onKeys(keys);
        cursor = next;
      } while (cursor !== '0');
    }
  }

  everywhere(...command: Command): Promise<unknown[]> {
    return Promise.all(
      this.#routes.masters.map(async (link) => {
        const [reply] = await link.send([command]);
        return result(reply);
      }),
    );
  }

  async replicated(replicas: number): Promise<void> {
    const counts = await this.everywhere('WAIT', String(replicas), String(WAIT_MS));
    const least = Math.min(...counts.map(Number));
    if (least < replicas) {
      throw new StoreUnavailable(`only ${least} of ${replicas} replicas have what was written`, { sent: true });
    }
  }

  async publish(channel: string, message: Buffer): Promise<void> {
    const [reply] = await this.#routes.send(slotOf(channel), [['PUBLISH', channel, message]], false);
    result(reply);
  }

  subscribe(channel: string, listener: Listener, subscribed: () => void = () => {}): Promise<() => Promise<void>> {
    this.#subscriber ??= new Subscriber(this.#address);
    return this.#subscriber.subscribe(channel, listener, subscribed);
  }

  async close(): Promise<void> {
    await Promise.all([this.#routes.close(), this.#subscriber?.close()]);
  }
}

function result(reply: unknown): unknown {
  if (reply instanceof ErrorReply) throw errorFrom(reply, 'the store');
  return reply;
}

/** What a server says of itself; throws where views cannot live there. */
async function fitInfo(link: Link): Promise<string> {
  const [info] = await link.send([['INFO']]);
  const text = String(result(info));
  const reason = unfitness(readInfo(text));
  if (reason) throw new Error(reason);
  return text;
}
