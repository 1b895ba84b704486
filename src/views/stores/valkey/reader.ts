import type { Position } from '../../../changes/position.ts';
import type { Argument, BucketOperation, StoredKind, StoredRead } from '../../stored.ts';
import type { ViewQuery } from '../../view.ts';
import { pointerOf } from './bucket/names.ts';
import type { KindScripts } from './bucket/scripts.ts';
import type { ValkeyConnection } from './connection.ts';
import type { Script } from './wire/script.ts';

export interface BucketReaderOptions {
  readonly connection: ValkeyConnection;
  readonly view: string;
  readonly kind: StoredKind;
  readonly scripts: KindScripts;
}

/** Replies, and the least position of the buckets they are of (LSN). */
export interface Replies {
  readonly replies: readonly unknown[];
  readonly lsn: number;
}

/** A question with its place among all. */
interface Asked {
  readonly at: number;
  readonly name: string;
  readonly args: readonly Argument[];
}

/** A view's buckets, as any node asks them. Data and position come together, or not at all (CORRECTNESS 5). */
export class BucketReader {
  readonly #options: BucketReaderOptions;

  constructor(options: BucketReaderOptions) {
    this.#options = options;
  }

  /**
   * The replies of the served generation, each bucket in one call, all of the epoch of `at` and not before it; undefined where one
   * of them cannot give them: it is not there, torn, of another epoch, or behind. Throws where the server does not answer.
   */
  async ask(reads: readonly StoredRead[], at: Position): Promise<Replies | undefined> {
    const asked = reads.map(({ bucket, name, args }, i) => ({ bucket, at: i, name, args }));
    const replies: unknown[] = [];
    let lsn = Number.POSITIVE_INFINITY;
    const answers = await Promise.all(
      [...byBucket(asked)].map(async ([bucket, own]) => ({ own, answer: await this.#run('read', bucket, own, at) })),
    );
    for (const { own, answer } of answers) {
      if (!Array.isArray(answer)) return undefined;
      lsn = Math.min(lsn, Number(String(answer[0])));
      for (const [i, each] of own.entries()) replies[each.at] = answer[i + 1];
    }
    return { replies, lsn: answers.length > 0 ? lsn : at.lsn };
  }

  /** Runs each operation in its bucket; undefined in the place of one whose bucket could not have been asked at `at`. */
  async amend(operations: readonly BucketOperation[], at: Position): Promise<unknown[]> {
    const asked = operations.map(({ bucket, operation: [name, ...args] }, i) => ({ bucket, at: i, name, args }));
    const replies: unknown[] = operations.map(() => undefined);
    await Promise.all(
      [...byBucket(asked)].map(async ([bucket, own]) => {
        const answer = await this.#run('amend', bucket, own, at);
        if (Array.isArray(answer)) for (const [i, each] of own.entries()) replies[each.at] = answer[i + 1];
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

  #run(what: 'read' | 'amend', bucket: number, asked: readonly Asked[], at: Position): Promise<unknown> {
    const { connection, view, kind, scripts } = this.#options;
    const script: Script = scripts[what];
    const args: Argument[] = ['', at.epoch, String(at.lsn)];
    for (const each of asked) args.push(String(each.args.length), each.name, ...each.args);
    return connection.run(script, pointerOf(view, bucket), args, kind.bytes);
  }
}

function byBucket<T extends { readonly bucket: number }>(all: readonly T[]): Map<number, T[]> {
  return Map.groupBy(all, ({ bucket }) => bucket);
}
