import type { Position } from '../../../changes/position.ts';
import type { Argument } from '../../stored.ts';
import { StoreRefused } from './errors.ts';

/** A question to one bucket. */
export interface Question {
  readonly name: string;
  readonly args: readonly Argument[];
}

/** Replies with the bucket's position before them, or why there are none. */
export type BucketAnswer = readonly unknown[] | string;

export interface ReadQueueOptions {
  /** Asks a bucket all of these in one call. */
  run(bucket: number, questions: readonly Question[], at: Position): Promise<BucketAnswer>;
}

interface Asked {
  readonly questions: readonly Question[];
  readonly at: Position;
  resolve(answer: BucketAnswer): void;
  reject(error: unknown): void;
}

/** Questions in one call; one request's are never split. */
const MAX_QUESTIONS = 500;

/** Asks buckets, all that is asked of one in a turn of the event loop in one call. */
export class ReadQueue {
  readonly #run: ReadQueueOptions['run'];
  #asked = new Map<number, Asked[]>();

  constructor({ run }: ReadQueueOptions) {
    this.#run = run;
  }

  ask(bucket: number, questions: readonly Question[], at: Position): Promise<BucketAnswer> {
    return new Promise((resolve, reject) => {
      if (this.#asked.size === 0) setImmediate(() => this.#flush());
      const asked = { questions, at, resolve, reject };
      const others = this.#asked.get(bucket);
      if (others) others.push(asked);
      else this.#asked.set(bucket, [asked]);
    });
  }

  #flush(): void {
    const all = this.#asked;
    this.#asked = new Map();
    for (const [bucket, asked] of all) for (const batch of batches(asked)) void this.#send(bucket, batch);
  }

  async #send(bucket: number, batch: readonly Asked[]): Promise<void> {
    try {
      const questions = batch.length === 1 ? batch[0]!.questions : batch.flatMap((one) => one.questions);
      const answer = await this.#run(bucket, questions, batch[0]!.at);
      let from = 1;
      for (const { questions, resolve } of batch) {
        resolve(typeof answer === 'string' ? answer : [answer[0], ...answer.slice(from, from + questions.length)]);
        from += questions.length;
      }
    } catch (error) {
      // A question that the script fails on fails alone.
      if (batch.length > 1 && error instanceof StoreRefused) for (const one of batch) void this.#send(bucket, [one]);
      else for (const { reject } of batch) reject(error);
    }
  }
}

/** In their order, each for one position. */
function batches(asked: readonly Asked[]): Asked[][] {
  const batches: Asked[][] = [];
  let size = 0;
  for (const one of asked) {
    const last = batches.at(-1);
    const { epoch, lsn } = last?.[0]?.at ?? {};
    if (last && epoch === one.at.epoch && lsn === one.at.lsn && size + one.questions.length <= MAX_QUESTIONS) {
      last.push(one);
      size += one.questions.length;
    } else {
      batches.push([one]);
      size = one.questions.length;
    }
  }
  return batches;
}
