import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Transaction } from '../../changes/change.ts';
import { formatPosition } from '../../changes/position.ts';
import { ClientError } from '../../record/errors.ts';
import { Bus, type BusConnection } from '../bus/bus.ts';
import { type BusMessage, encodeMessage, type Heartbeat, type LeaderMessage, type Work } from '../bus/message.ts';
import { Receiver, SILENCE_MS } from '../bus/receiver.ts';
import { Leadership } from '../leader/leadership.ts';
import type { Term } from '../leader/term.ts';
import type { Progress, VerifyReport } from '../live.ts';
import type { Watermark } from '../watermark.ts';
import { Errands } from './errands.ts';
import { PauseWatch } from './pause-watch.ts';
import { type NodeStatus, Registry, type RegistryConnection } from './registry.ts';

/** How often the leader tells that it lives, and where it stands. */
const HEARTBEAT_MS = 200;
const AGAIN_MS = 100;
/** A message that is larger is not sent: its readers start anew. Well below the 8 MiB that a server lets a slow reader fall behind. */
const MAX_MESSAGE_BYTES = 2 * 1024 * 1024;

/** What the leader tells with each heartbeat beside its position. */
export type LeaderFacts = Pick<Heartbeat, 'following' | 'recordEnd' | 'broken' | 'retainedBytes'>;

export interface NodeOptions {
  readonly id: string;
  readonly host: string;
  readonly connection: BusConnection & RegistryConnection;
  /** Begins the names of what the nodes of one database share in the store. */
  readonly prefix: string;
  /** The record, direct. */
  readonly replicationUrl: string;
  readonly watermark: Watermark;
  /** A leader that is silent for so long is deposed. */
  readonly timeoutMs: number;
  readonly log: Logger;
  applied(transaction: Transaction): void;
  resync(): void;
  signal(topic: string, key: string, data: unknown): void;
  /** The transactions that are open in the record now. */
  openTransactions(): Promise<readonly number[]>;
  /** While this node leads. */
  facts(): LeaderFacts;
  /** While this node leads: somebody waits. */
  poked(): void;
  /** While this node leads: another one was asked for it. */
  carryOut(view: string, work: Work, progress: Progress): Promise<VerifyReport | null>;
}

/**
 * This process among the nodes of its database: one of them leads, and tells the others on the bus what the views have applied;
 * each moves its watermark by that, and feeds its own subscribers. The leader hears itself in the same way, without the detour.
 */
export class Node {
  readonly #options: NodeOptions;
  readonly #bus: Bus;
  readonly #receiver: Receiver;
  readonly #registry: Registry;
  readonly #leadership: Leadership;
  readonly #pauses: PauseWatch;
  readonly #errands: Errands;
  #term: Term | null = null;
  /** Where the leader's subscribers stand; null until it has begun. */
  #at: { readonly epoch: string; lsn: number } | null = null;
  #beating: NodeJS.Timeout | undefined;
  #gaps = 0;
  /** Where this node serves. */
  url: string | null = null;

  constructor(options: NodeOptions) {
    const { id, connection, prefix, log, watermark, applied, resync, replicationUrl, timeoutMs } = options;
    this.#options = options;
    this.#receiver = new Receiver({ watermark, applied, resync, missed: () => void this.#missed() });
    this.#bus = new Bus({ connection, channel: `${prefix}changes`, log, receive: (message) => this.#hear(message) });
    this.#registry = new Registry({ connection, key: `${prefix}nodes`, id, self: () => this.#self() });
    this.#leadership = new Leadership({ url: replicationUrl, node: id, timeoutMs, log });
    const ask = (mark: number) => this.#bus.send({ type: 'mark', node: id, mark });
    this.#pauses = new PauseWatch({ pauseMs: SILENCE_MS, ask });
    this.#errands = new Errands({
      id,
      send: (message) => this.#bus.send(message),
      carryOut: async (view, work, progress) => {
        if (this.#term) return options.carryOut(view, work, progress);
        throw new ClientError(409, 'This node follows the record no more. Try again in a moment.');
      },
    });
  }

  /** Whether the views may be answered from: the leader follows the record, and was heard just now. */
  get inStep(): boolean {
    return this.#receiver.inStep && this.#pauses.awake;
  }

  get leading(): boolean {
    return this.#term !== null;
  }

  /** What the leader said last; null while there is none. */
  get heartbeat(): Heartbeat | null {
    return this.#receiver.heartbeat;
  }

  get received(): Pick<Receiver, 'transactions' | 'changes' | 'gaps'> {
    return this.#receiver;
  }

  get nodes(): readonly NodeStatus[] {
    return this.#registry.nodes;
  }

  async start(): Promise<void> {
    await this.#bus.start();
    await this.#registry.start();
    this.#pauses.start();
  }

  async stop(): Promise<void> {
    this.#gaps++;
    clearInterval(this.#beating);
    this.#pauses.stop();
    this.#errands.stop();
    await Promise.all([this.#registry.stop(), this.#bus.stop()]);
  }

  /** Waits until this node leads; null when aborted before. */
  async turn(signal: AbortSignal): Promise<Term | null> {
    const term = await this.#leadership.won(signal);
    this.#term = term;
    if (!term) return null;
    this.#options.log.info({ node: this.#options.id, term: term.epoch }, 'this node leads');
    this.#beating = setInterval(() => this.beat(), HEARTBEAT_MS);
    term.lost.then(() => this.#ended(term));
    return term;
  }

  /** See `Leadership`. */
  outdo(epoch: number): void {
    this.#leadership.outdo(epoch);
  }

  /** Gives the lead up, and has another node take it at once. */
  async leave(): Promise<void> {
    const term = this.#term;
    if (!term) return;
    const epoch = this.#at?.epoch ?? '';
    await term.resign();
    this.#bus.send({ type: 'leaving', node: this.#options.id, leader: term.epoch, epoch });
  }

  /** The leader's stream begins here: `anew` where the views were built, so that nothing is known of what led to it. */
  begin(at: { readonly epoch: string; readonly lsn: number }, anew: boolean): void {
    this.#at = { ...at };
    if (anew) this.resync(at.lsn);
  }

  /** Every view has applied these. */
  deliver(next: number, transactions: readonly Transaction[]): void {
    const at = this.#at;
    const term = this.#term;
    if (!at || !term) return;
    const { epoch, lsn: previous } = at;
    at.lsn = next;
    const message: LeaderMessage = { ...this.#from(term, epoch), type: 'changes', previous, next, transactions };
    this.#receiver.receive(message);
    const bytes = encodeMessage(message);
    if (bytes.length <= MAX_MESSAGE_BYTES) this.#bus.sendEncoded(bytes);
    else this.#bus.send({ ...this.#from(term, epoch), type: 'resync', next });
  }

  /** The views stand at `next`, by a way that is not told change by change. */
  resync(next: number): void {
    const at = this.#at;
    const term = this.#term;
    if (!at || !term) return;
    at.lsn = Math.max(at.lsn, next);
    this.#tell({ ...this.#from(term, at.epoch), type: 'resync', next });
  }

  /** Tells the others where this leader stands, at once. */
  beat(): void {
    const at = this.#at;
    if (!this.#term || !at) return;
    const facts = this.#options.facts();
    this.#tell({ ...this.#from(this.#term, at.epoch), type: 'heartbeat', position: at.lsn, ...facts });
  }

  signal(topic: string, key: string, data: unknown): void {
    this.#options.signal(topic, key, data);
    this.#bus.send({ type: 'signal', node: this.#options.id, topic, key, data });
  }

  /** Somebody waits for the views. */
  poke(): void {
    if (this.#term) this.#options.poked();
    else this.#bus.send({ type: 'poke', node: this.#options.id });
  }

  /** Has the node that leads do what only that one can; see `Errands`. */
  ask(leader: string, view: string, work: Work, progress?: Progress): Promise<VerifyReport | null> {
    return this.#errands.ask(leader, view, work, progress);
  }

  #from(term: Term, epoch: string) {
    return { node: this.#options.id, leader: term.epoch, epoch };
  }

  #tell(message: LeaderMessage): void {
    this.#receiver.receive(message);
    this.#bus.send(message);
  }

  #hear(message: BusMessage): void {
    if (message.node === this.#options.id) {
      if (message.type === 'mark') this.#pauses.heard(message.mark);
      return;
    }
    if (message.type === 'mark') return;
    if (message.type === 'poke') {
      if (this.#term) this.#options.poked();
    } else if (message.type === 'signal') this.#options.signal(message.topic, message.key, message.data);
    else if (message.type === 'asked' || message.type === 'told') this.#errands.hear(message);
    else {
      this.#receiver.receive(message);
      if (message.type === 'leaving') this.#leadership.look();
    }
  }

  #ended(term: Term): void {
    if (this.#term !== term) return;
    this.#term = null;
    this.#at = null;
    clearInterval(this.#beating);
  }

  /** Until it is known which transactions were open, nothing read from the record says where it stands. */
  async #missed(): Promise<void> {
    const { watermark, openTransactions } = this.#options;
    const gap = ++this.#gaps;
    watermark.missed();
    while (gap === this.#gaps) {
      const open = await openTransactions().catch(() => null);
      if (gap !== this.#gaps) return; // there was another one meanwhile
      if (open) return watermark.settled(open);
      await sleep(AGAIN_MS, undefined, { ref: false }); // the record is away
    }
  }

  #self(): Omit<NodeStatus, 'id' | 'seen' | 'started'> {
    const { host, watermark } = this.#options;
    const position = watermark.position.lsn === 0 ? null : formatPosition(watermark.position);
    return { host, pid: process.pid, url: this.url, position, leading: this.leading, ready: this.inStep };
  }
}
