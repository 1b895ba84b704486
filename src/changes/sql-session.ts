import type pg from 'pg';
import { ANSWER_MS, inTime, leave } from './wire/answer.ts';
import { connect } from './wire/connect.ts';

type Rows = readonly Readonly<Record<string, unknown>>[];

/** One ordinary connection for the feed's own questions, one after the other, made again when it was lost or an answer did not come. */
export class SqlSession {
  readonly #url: string;
  readonly #answerMs: number;
  #client: Promise<pg.Client> | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(options: { url: string; answerMs?: number }) {
    this.#url = options.url;
    this.#answerMs = options.answerMs ?? ANSWER_MS;
  }

  readonly ask = (sql: string, parameters: readonly unknown[] = []): Promise<Rows> => {
    const answer = this.#last.then(() => this.#ask(sql, parameters));
    this.#last = answer.catch(() => {});
    return answer;
  };

  async #ask(sql: string, parameters: readonly unknown[]): Promise<Rows> {
    if (this.#closed) throw new Error('the feed is closed');
    this.#client ??= this.#open();
    const client = await this.#client;
    const { rows } = await inTime(client, client.query(sql, [...parameters]), this.#answerMs);
    return rows;
  }

  async close(): Promise<void> {
    this.#closed = true;
    const client = await this.#client?.catch(() => undefined);
    if (client) await leave(client);
  }

  /** One that broke is not asked again. */
  #open(): Promise<pg.Client> {
    const opening = connect({ url: this.#url });
    const forget = () => {
      if (this.#client === opening) this.#client = undefined;
    };
    opening.then((client) => client.once('error', forget).once('end', forget), forget);
    return opening;
  }
}
