/** A request that failed, with a message for the person in front of the page. */
export class Problem extends Error {
  /** 0: no answer came. */
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.name = 'Problem';
    this.status = status;
  }
}

export interface Answered<T> {
  readonly body: T;
  readonly headers: Headers;
}

/** Sends JSON and reads JSON; throws `Problem` for anything but success. */
export async function send<T>(method: string, path: string, options: SendOptions = {}): Promise<Answered<T>> {
  const headers = new Headers(options.headers);
  if (options.body !== undefined) headers.set('Content-Type', 'application/json');
  const body = options.body === undefined ? null : JSON.stringify(options.body);
  let response: Response;
  try {
    response = await fetch(path, { method, headers, body, signal: options.signal ?? null });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new Problem(0, 'The server does not answer. Check the connection and try again.');
  }
  if (!response.ok) throw new Problem(response.status, await messageOf(response));
  return { body: (await response.json()) as T, headers: response.headers };
}

interface SendOptions {
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal;
}

async function messageOf(response: Response): Promise<string> {
  const problem: unknown = await response.json().catch(() => null);
  // A service's codes: `message_blank`.
  if (Array.isArray(problem)) return `${problem.join(', ').replaceAll('_', ' ')}.`;
  const message = problem && typeof problem === 'object' && 'message' in problem ? problem.message : undefined;
  return typeof message === 'string' ? message : `The server answered ${response.status} ${response.statusText}.`;
}

/** The message of whatever was thrown. */
export function messageFor(error: unknown): string {
  return error instanceof Problem ? error.message : 'Something went wrong on this page. Reload it and try again.';
}
