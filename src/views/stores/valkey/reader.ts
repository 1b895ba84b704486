import type { Position } from '../../../changes/position.ts';
import type { Argument, BucketOperation, StoredKind, StoredRead } from '../../stored.ts';
import type { ViewQuery } from '../../view.ts';
import type { KindScripts } from './bucket/scripts.ts';
import type { ValkeyConnection } from './connection.ts';
import { type BucketAnswer, type Question, ReadQueue } from './read-queue.ts';
import type { Script } from './wire/script.ts';

export interface BucketReaderOptions {
  readonly connection: ValkeyConnection;
  /** A bucket's key. */
  pointer(bucket: number): string;
  readonly kind: StoredKind;
  readonly scripts: KindScripts;
}

/** Replies, and the least position of the buckets they are of (LSN). */
export interface Replies {
  readonly replies: readonly unknown[];
  readonly lsn: number;
}

/** A question with its place among all. */
interface Placed extends Question {
  readonly at: number;
}

/** A view's buckets, as any node asks them. Data and position come together, or not at all (CORRECTNESS 5). */
export class BucketReader {
  readonly #options: BucketReaderOptions;
  readonly #reads: ReadQueue;

  constructor(options: BucketReaderOptions) {
    this.#options = options;
    const { scripts } = options;
    this.#reads = new ReadQueue({ run: (bucket, questions, at) => this.#run(scripts.read, bucket, questions, at) });
  }

  /**
   * The replies of the served generation, each bucket in one call, all of the epoch of `at` and not before it; undefined where one
   * of them cannot give them: it is not there, torn, of another epoch, or behind. Throws where the server does not answer.
   */
  async ask(reads: readonly StoredRead[], at: Position): Promise<Replies | undefined> {
    if (reads.length === 1) return this.#askOne(reads[0]!, at);
    const replies: unknown[] = [];
    let lsn = Number.POSITIVE_INFINITY;
    const answers = await Promise.all(
      [...byBucket(reads.map((read, at) => ({ ...read, at })))].map(async ([bucket, own]) => ({
        own,
        answer: await this.#reads.ask(bucket, own, at),
      })),
    );
    for (const { own, answer } of answers) {
      if (typeof answer === 'string') return undefined;
      lsn = Math.min(lsn, lsnOf(answer));
      for (const [i, each] of own.entries()) replies[each.at] = answer[i + 1];
    }
    return { replies, lsn: answers.length > 0 ? lsn : at.lsn };
  }

  /** Runs each operation in its bucket; undefined in the place of one whose bucket could not have been asked at `at`. */
  async amend(operations: readonly BucketOperation[], at: Position): Promise<unknown[]> {
    const { amend } = this.#options.scripts;
    const asked = operations.map(({ bucket, operation: [name, ...args] }, i) => ({ bucket, at: i, name, args }));
    const replies: unknown[] = operations.map(() => undefined);
    await Promise.all(
      [...byBucket(asked)].map(async ([bucket, own]) => {
        const answer = await this.#run(amend, bucket, own, at);
        if (typeof answer !== 'string') for (const [i, each] of own.entries()) replies[each.at] = answer[i + 1];
      }),
    );
    return replies;
  }

  /** The answers to queries, with `undefined` where the view does not hold one. */
  async read(
    queries: readonly ViewQuery<unknown>[],
    at: Position,
  ): Promise<{ readonly results: unknown[]; readonly lsn: number } | undefined> {
    const { kind } = this.#options;
    const reads = queries.map((query) => kind.read(query));
    const asked = await this.ask(reads.flat(), at);
    if (!asked) return undefined;
    let start = 0;
    const results = queries.map((query, i) => {
      const own = asked.replies.slice(start, start + reads[i]!.length);
      start += own.length;
      return kind.answer(query, own);
    });
    return { results, lsn: asked.lsn };
  }

  async #askOne(read: StoredRead, at: Position): Promise<Replies | undefined> {
    const answer = await this.#reads.ask(read.bucket, [read], at);
    return typeof answer === 'string' ? undefined : { replies: [answer[1]], lsn: lsnOf(answer) };
  }

  async #run(script: Script, bucket: number, asked: readonly Question[], at: Position): Promise<BucketAnswer> {
    const { connection, pointer, kind } = this.#options;
    const args: Argument[] = ['', at.epoch, String(at.lsn)];
    for (const { name, args: own } of asked) args.push(String(own.length), name, ...own);
    const answer = await connection.run(script, pointer(bucket), args, kind.bytes);
    return Array.isArray(answer) ? answer : String(answer);
  }
}

function lsnOf([position]: readonly unknown[]): number {
  return Number(String(position));
}

function byBucket<T extends StoredRead | (Placed & { readonly bucket: number })>(all: readonly T[]): Map<number, T[]> {
  return Map.groupBy(all, ({ bucket }) => bucket);
}
