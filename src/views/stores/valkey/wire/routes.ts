import { ErrorReply } from 'redis';
import { StoreUnavailable } from '../errors.ts';
import type { ValkeyAddress, ValkeyHost } from '../url.ts';
import { type Command, Link, nameOf } from './link.ts';

/** A slot that moves while it is asked for is followed so many times. */
const REDIRECTS = 5;
/** The map of slots is asked for at most this often. */
const REFRESH_MS = 200;

/**
 * Which server answers for which slot. One server answers for all; of a cluster the map of slots is asked for at the start, and
 * anew when a server says that a slot has moved (`MOVED`: it did nothing) or cannot be reached.
 *
 * A slot that is being moved (`ASK`) is not followed: half of a bucket's keys may be elsewhere, and a script would take what it
 * does not find for missing. The answer stays an error until the move is over.
 */
export class Routes {
  readonly #address: ValkeyAddress;
  readonly #links = new Map<string, Link>();
  /** By slot; null where one server answers for all. */
  #owners: (Link | undefined)[] | null = null;
  #refreshing: Promise<void> | null = null;
  #refreshedAt = Number.NEGATIVE_INFINITY;

  constructor(address: ValkeyAddress) {
    this.#address = address;
    for (const host of address.hosts) this.#linkTo(host);
  }

  get isCluster(): boolean {
    return this.#owners !== null;
  }

  /** Every server that has slots. */
  get masters(): Link[] {
    return this.#owners ? [...new Set(this.#owners)].filter((link) => link !== undefined) : [this.#any()];
  }

  /** Connects to whatever server answers first. */
  async open(timeoutMs: number): Promise<Link> {
    const links = [...this.#links.values()];
    const ready = links.map((link) => link.ready(timeoutMs).then(() => link));
    return Promise.any(ready).catch((error: AggregateError) => {
      throw error.errors[0];
    });
  }

  /** The servers are a cluster: learns whose the slots are. */
  async asCluster(timeoutMs: number): Promise<void> {
    this.#owners = [];
    await this.#refresh();
    await Promise.all(this.masters.map((link) => link.ready(timeoutMs)));
  }

  async send(slot: number, commands: readonly Command[], bytes: boolean): Promise<unknown[]> {
    const replies = await this.#sendTo(this.#ownerOf(slot), commands, bytes);
    for (let times = 0; times < REDIRECTS; times++) {
      const moved = replies.flatMap((reply, i) => (isMoved(reply) ? [i] : []));
      if (moved.length === 0) break;
      const link = this.#moved(slot, replies[moved[0]!] as Error);
      const again = await this.#sendTo(
        link,
        moved.map((i) => commands[i]!),
        bytes,
      );
      for (const [at, i] of moved.entries()) replies[i] = again[at];
    }
    return replies;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#links.values()].map((link) => link.close()));
  }

  async #sendTo(link: Link, commands: readonly Command[], bytes: boolean): Promise<unknown[]> {
    try {
      const replies = await link.send(commands, bytes);
      const [first] = replies;
      // What was the master follows another one now: the name may lead to that one.
      if (first instanceof ErrorReply && first.message.startsWith('READONLY')) link.reset(first);
      return replies;
    } catch (error) {
      if (this.isCluster) this.#refreshSoon();
      throw error;
    }
  }

  #ownerOf(slot: number): Link {
    if (!this.#owners) return this.#any();
    const owner = this.#owners[slot];
    if (owner) return owner;
    this.#refreshSoon();
    throw new StoreUnavailable(`no server of the cluster answers for slot ${slot}`, { sent: false });
  }

  /** `MOVED 3999 127.0.0.1:6381`; without a host it is the one that answered. */
  #moved(slot: number, reply: Error): Link {
    const [, to = ''] = /^MOVED \d+ (\S+)/.exec(reply.message) ?? [];
    const colon = to.lastIndexOf(':');
    const host = to.slice(0, colon) || this.#ownerOf(slot).at.host;
    const link = this.#linkTo({ host, port: Number(to.slice(colon + 1)) });
    this.#owners ??= [];
    this.#owners[slot] = link;
    this.#refreshSoon();
    return link;
  }

  #any(): Link {
    const links = [...this.#links.values()];
    return links.find((link) => link.isUp) ?? links[0]!;
  }

  #refreshSoon(): void {
    if (performance.now() - this.#refreshedAt < REFRESH_MS) return;
    this.#refreshing ??= this.#refresh()
      .catch(() => {}) // the next one who needs it asks again
      .finally(() => {
        this.#refreshing = null;
      });
  }

  async #refresh(): Promise<void> {
    this.#refreshedAt = performance.now();
    const asked = this.#any();
    const [reply] = await asked.send([['CLUSTER', 'SLOTS']]);
    if (reply instanceof Error) throw reply;
    const owners: (Link | undefined)[] = [];
    for (const [first, last, [host, port]] of reply as [number, number, [string | null, number]][]) {
      const link = this.#linkTo({ host: host || asked.at.host, port });
      for (let slot = first; slot <= last; slot++) owners[slot] = link;
    }
    this.#owners = owners;
  }

  #linkTo(at: ValkeyHost): Link {
    const name = nameOf(at);
    const link = this.#links.get(name) ?? new Link({ address: this.#address, hosts: [at] });
    this.#links.set(name, link);
    return link;
  }
}

function isMoved(reply: unknown): boolean {
  return reply instanceof ErrorReply && reply.message.startsWith('MOVED ');
}
