import { BlockList, isIPv6 } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ClientError } from '../record/errors.ts';

export interface RateLimitOptions {
  readonly perSecond: number;
  /** Requests an address may send at once; two seconds' worth unless told. */
  readonly burst?: number;
  /** Addresses remembered, at most; 100,000 unless told. More of them within a burst's time are let through. */
  readonly maxAddresses?: number;
  /** Spare this machine itself, behind whose address a proxy or a benchmark sends for many. */
  readonly spareLoopback?: boolean;
  /** Milliseconds, from any start. */
  readonly now?: () => number;
}

/**
 * A token bucket for each address, kept as one number (the theoretical arrival time of GCRA, ITU-T I.371): when the bucket
 * is full again. Two generations of them, changed each time that every bucket of the elder one must be full, so that
 * nothing is swept and memory is bounded.
 */
export class RateLimit {
  readonly #interval: number;
  readonly #window: number;
  readonly #maxAddresses: number;
  readonly #spareLoopback: boolean;
  readonly #now: () => number;
  #young = new Map<string, number>();
  #old = new Map<string, number>();
  #turnAt: number;

  constructor(options: RateLimitOptions) {
    this.#interval = 1000 / options.perSecond;
    this.#window = this.#interval * (options.burst ?? Math.max(1, options.perSecond * 2));
    this.#maxAddresses = options.maxAddresses ?? 100_000;
    this.#spareLoopback = options.spareLoopback ?? false;
    this.#now = options.now ?? (() => performance.now());
    this.#turnAt = this.#now() + this.#window;
  }

  /**
   * Takes one request of `address`, or what costs as much as `cost` of them: 0 when it may pass, otherwise milliseconds until it
   * may. What costs more than a whole burst never passes.
   */
  take(address: string, cost = 1): number {
    if (this.#spareLoopback && isLoopback(address)) return 0;
    const now = this.#now();
    if (now >= this.#turnAt || this.#young.size >= this.#maxAddresses) this.#turn(now);
    const key = isIPv6(address) ? networkOf(address) : address;
    const fullAt = Math.max(now, this.#young.get(key) ?? this.#old.get(key) ?? 0) + this.#interval * cost;
    if (fullAt - now > this.#window + 1e-6) return fullAt - now - this.#window;
    this.#young.set(key, fullAt);
    return 0;
  }

  /** Throws 429 with `Retry-After` when `address` must wait. */
  admit(address: string): void {
    const wait = this.take(address);
    if (wait === 0) return;
    const seconds = Math.ceil(wait / 1000);
    throw new ClientError(429, `Too many requests from your address; try again in ${seconds} s.`, {
      headers: { 'retry-after': String(seconds) },
    });
  }

  #turn(now: number): void {
    this.#old = this.#young;
    this.#young = new Map();
    this.#turnAt = now + this.#window;
  }
}

/** An `onRequest` hook for routes that cost more than others: `{ onRequest: limitRate({ perSecond: 5 }) }`. */
export function limitRate(options: RateLimitOptions) {
  const limit = new RateLimit(options);
  return (request: FastifyRequest, _reply: FastifyReply, done: (error?: Error) => void): void => {
    try {
      limit.admit(request.ip);
      done();
    } catch (error) {
      done(error as Error);
    }
  };
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');
loopback.addSubnet('::ffff:127.0.0.0', 104, 'ipv6');

/** Whether an address is this machine itself; so is no address at all, which a Unix socket has. */
export function isLoopback(address: string): boolean {
  if (address === '127.0.0.1' || address === '' || address === undefined) return true;
  return loopback.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

/** The first 64 bits of an IPv6 address, which one subscriber has all of; an IPv4 address in IPv6 form as such. */
function networkOf(address: string): string {
  const ipv4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (ipv4) return ipv4[1]!;
  const [head = '', tail] = address.split('%', 1)[0]!.toLowerCase().split('::');
  const left = head.split(':').filter(Boolean);
  const right = tail?.split(':').filter(Boolean) ?? [];
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  const groups = [...left, ...Array<string>(zeros).fill('0'), ...right];
  return groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':');
}
