import { Problem, problemOf } from './problem.ts';

export interface Answered<T> {
  readonly body: T;
  readonly headers: Headers;
}

export interface SendOptions {
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/** Sends JSON and reads JSON. Throws `Problem` for anything but success, and the signal's reason when that ends it. */
export async function send<T>(method: string, url: string, options: SendOptions = {}): Promise<Answered<T>> {
  const headers = new Headers(options.headers);
  if (options.body !== undefined) headers.set('Content-Type', 'application/json');
  const body = options.body === undefined ? null : JSON.stringify(options.body);
  const response = await answer(url, { method, headers, body, signal: options.signal ?? null });
  if (!response.ok) throw await problemOf(response);
  return { body: (response.status === 204 ? undefined : await response.json()) as T, headers: response.headers };
}

async function answer(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (cause) {
    if (init.signal?.aborted) throw cause;
    const message = 'The server does not answer. Check the connection and try again.';
    throw new Problem({ status: 0, message, requestId: undefined, body: undefined });
  }
}
