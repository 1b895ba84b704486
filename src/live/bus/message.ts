import { deserialize, serialize } from 'node:v8';
import type { Transaction } from '../../changes/change.ts';
import type { VerifyReport } from '../live.ts';

/** What every message of the leader carries: its term and the log it follows. */
interface FromLeader {
  /** The node that leads. */
  readonly node: string;
  /** The epoch of its term: a message of an older one is ignored. */
  readonly leader: number;
  /** The record's. */
  readonly epoch: string;
}

/** The views have applied these, and nothing else lies between `previous` and `next` (LSNs). */
export interface Changes extends FromLeader {
  readonly type: 'changes';
  readonly previous: number;
  readonly next: number;
  /** Whole, in commit order; those without a change too, whose writers wait. */
  readonly transactions: readonly Transaction[];
}

/** The views stand at `next`, and what led there is not told: they were built anew, or it is too much for a message. */
export interface Resync extends FromLeader {
  readonly type: 'resync';
  readonly next: number;
}

/** The leader lives. Sent five times a second, and at once when something in it changes. */
export interface Heartbeat extends FromLeader {
  readonly type: 'heartbeat';
  /** Where it stands: who does not stand there has missed something. */
  readonly position: number;
  /** Whether the views are followed and may be answered from. */
  readonly following: boolean;
  /** The end of the record's log, as last asked for. */
  readonly recordEnd: number;
  /** Views that could not be built, and why: `<service>/<view>`. */
  readonly broken: Readonly<Record<string, string>>;
  /** WAL in bytes that its slot keeps back. */
  readonly retainedBytes: number;
}

/** The leader gives its lead up: the others need not wait for the next look. */
export interface Leaving extends FromLeader {
  readonly type: 'leaving';
}

/** Somebody waits: the leader is to ask the record how far the log is. */
export interface Poke {
  readonly type: 'poke';
  readonly node: string;
}

/** A node hears itself: it has heard everything that was sent before. */
export interface Mark {
  readonly type: 'mark';
  readonly node: string;
  readonly mark: number;
}

/** See `Live.signal`. */
export interface Signal {
  readonly type: 'signal';
  /** The node it was sent on, which has told its own subscribers. */
  readonly node: string;
  readonly topic: string;
  readonly key: string;
  readonly data: unknown;
}

/** What only the leader can do with a view. */
export type Work = 'verify' | 'rebuild';

/** A node that was asked for it passes it on. */
export interface Asked {
  readonly type: 'asked';
  readonly node: string;
  /** The leader, as the node knows it. */
  readonly to: string;
  /** Names it among those of the node. */
  readonly errand: number;
  /** `<service>/<view>` */
  readonly view: string;
  readonly work: Work;
}

/** What has become of it. Twice a second while it is under way. */
export interface Told {
  readonly type: 'told';
  readonly node: string;
  readonly to: string;
  readonly errand: number;
  readonly what:
    | { readonly progress: { readonly rows: number; readonly of: number } }
    /** Done; null of a rebuild. */
    | { readonly report: VerifyReport | null }
    | { readonly error: { readonly status: number; readonly message: string } };
}

export type LeaderMessage = Changes | Resync | Heartbeat | Leaving;
export type BusMessage = LeaderMessage | Poke | Mark | Signal | Asked | Told;

/** The first byte of a message: nodes of another version may share the bus for the time of an upgrade. */
const VERSION = 1;

/** Bigints, bytes and missing values keep their types; a table that many changes share is sent once. */
export function encodeMessage(message: BusMessage): Buffer {
  return Buffer.concat([Buffer.from([VERSION]), serialize(message)]);
}

/** Undefined for what is no message of this version. */
export function decodeMessage(bytes: Buffer): BusMessage | undefined {
  if (bytes[0] !== VERSION) return undefined;
  try {
    return deserialize(bytes.subarray(1)) as BusMessage;
  } catch {
    return undefined;
  }
}
