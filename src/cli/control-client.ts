import type { IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { http } from '../http/node-http.ts';
import { WrongUsage } from './failure.ts';

/** Talks HTTP to the server that runs on a data directory, over its control socket. */
export class ControlClient {
  readonly #socketPath: string;

  constructor(options: { socketPath: string }) {
    this.#socketPath = options.socketPath;
  }

  /** The answer's JSON, or undefined when nobody listens on the socket. */
  async get<T>(path: string): Promise<T | undefined> {
    const response = await this.#send('GET', path);
    return response && (JSON.parse(await text(response)) as T);
  }

  /** Each line of a streamed answer; undefined when nobody listens on the socket. */
  async post<T>(path: string): Promise<AsyncIterable<T> | undefined> {
    const response = await this.#send('POST', path);
    return response && jsonLines<T>(response);
  }

  async #send(method: string, path: string): Promise<IncomingMessage | undefined> {
    const response = await this.#request(method, path);
    if (response && response.statusCode !== 200) throw await refusal(response);
    return response;
  }

  #request(method: string, path: string): Promise<IncomingMessage | undefined> {
    return new Promise((resolve, reject) => {
      const sent = http.request({ socketPath: this.#socketPath, method, path, headers: { host: 'lockstep' } }, resolve);
      sent.on('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolve(undefined);
        else reject(new Error(`the running server does not answer on ${this.#socketPath}`, { cause: error }));
      });
      sent.end();
    });
  }
}

async function* jsonLines<T>(response: IncomingMessage): AsyncGenerator<T> {
  for await (const line of createInterface({ input: response })) {
    if (line.trim() !== '') yield JSON.parse(line) as T;
  }
  if (!response.complete) throw new Error('the running server ended before it was done');
}

async function text(response: IncomingMessage): Promise<string> {
  let all = '';
  for await (const chunk of response.setEncoding('utf8')) all += chunk;
  return all;
}

/** With the `message` of a problem document, or what can be said without one. What the server does not take was asked for wrongly. */
async function refusal(response: IncomingMessage): Promise<Error> {
  const message = (await problem(response)) ?? `the running server answered ${response.statusCode}`;
  return response.statusCode! < 500 ? new WrongUsage(message) : new Error(message);
}

async function problem(response: IncomingMessage): Promise<string | undefined> {
  const body = await text(response);
  try {
    const { message } = JSON.parse(body) as { message?: unknown };
    if (typeof message === 'string') return message;
  } catch {
    // No JSON.
  }
  return undefined;
}
