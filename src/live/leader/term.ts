import type pg from 'pg';
import { leave } from '../../changes/wire/answer.ts';

/** This node's lead is over: the connection that holds the lock ended, or another node leads. */
export class Deposed extends Error {
  constructor(detail: string) {
    super(`this node leads no more: ${detail}`);
    this.name = 'Deposed';
  }
}

export interface TermOptions {
  /** Holds the lock; the term's own. */
  readonly client: pg.Client;
  readonly epoch: number;
  readonly timeoutMs: number;
  readonly heartbeatMs: number;
}

/** One node's lead, from the lock to its loss. */
export class Term {
  /** Goes up from term to term. */
  readonly epoch: number;
  /** Resolves when it is over, with the reason. */
  readonly lost: Promise<Deposed>;
  readonly #options: TermOptions;
  readonly #timer: NodeJS.Timeout;
  #end: (reason: Deposed) => void = () => {};
  #confirmedAt = performance.now();
  #asking = false;
  #over = false;
  #left: Promise<void> | undefined;

  constructor(options: TermOptions) {
    this.#options = options;
    this.epoch = options.epoch;
    this.lost = new Promise((resolve) => {
      this.#end = resolve;
    });
    options.client.once('end', () => this.#lose('its connection ended'));
    this.#timer = setInterval(() => this.#beat(), options.heartbeatMs);
  }

  get over(): boolean {
    return this.#over;
  }

  /** Gives the lead up; another node has it at once. */
  async resign(): Promise<void> {
    this.#lose('it resigned');
    await this.#left;
  }

  /** One at a time; one that is not answered is a lead that is not known of any more. */
  #beat(): void {
    const { client, timeoutMs } = this.#options;
    if (performance.now() - this.#confirmedAt > timeoutMs) this.#lose(`no heartbeat was taken for ${timeoutMs} ms`);
    if (this.#asking || this.#over) return;
    this.#asking = true;
    client
      .query(BEAT, [this.epoch])
      .then(
        ({ rowCount }) => {
          if (rowCount === 0) this.#lose('another node has taken over');
          else this.#confirmedAt = performance.now();
        },
        (error: Error) => this.#lose(error.message),
      )
      .finally(() => {
        this.#asking = false;
      });
  }

  #lose(detail: string): void {
    if (this.#over) return;
    this.#over = true;
    clearInterval(this.#timer);
    this.#end(new Deposed(detail));
    this.#left = leave(this.#options.client);
  }
}

const BEAT = 'update lockstep.leader set heartbeat = pg_catalog.clock_timestamp() where epoch = $1';
