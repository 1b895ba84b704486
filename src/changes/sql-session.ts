import type pg from 'pg';
import { connect } from './wire/connect.ts';

type Rows = readonly Readonly<Record<string, unknown>>[];

/** One ordinary connection for the feed's own questions, one after the other, made again when it was lost. */
export class SqlSession {
  readonly #url: string;
  #client: Promise<pg.Client> | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(options: { url: string }) {
    this.#url = options.url;
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
    const { rows } = await client.query(sql, [...parameters]);
    return rows;
  }

  async close(): Promise<void> {
    this.#closed = true;
    const client = await this.#client?.catch(() => undefined);
    await client?.end();
  }

  async #open(): Promise<pg.Client> {
    try {
      const client = await connect({ url: this.#url });
      client.once('end', () => {
        this.#client = undefined;
      });
      return client;
    } catch (error) {
      this.#client = undefined;
      throw error;
    }
  }
}
