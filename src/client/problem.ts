/** A request that failed. `message` is for people, and says what to do. */
export class Problem extends Error {
  override readonly name = 'Problem';
  /** The HTTP status; 0: no answer came. */
  readonly status: number;
  /** What the server calls the request in its log, where it answered. */
  readonly requestId: string | undefined;
  /** The whole answer, where it was JSON: some services put codes there. */
  readonly body: unknown;

  constructor({ status, message, requestId, body }: Pick<Problem, 'status' | 'message' | 'requestId' | 'body'>) {
    super(message);
    this.status = status;
    this.requestId = requestId;
    this.body = body;
  }
}

/** The problem that an answer tells of (RFC 9457), or that it is where it is none. */
export async function problemOf(response: Response): Promise<Problem> {
  const body: unknown = await response.json().catch(() => undefined);
  const { message, requestId } = (typeof body === 'object' && body ? body : {}) as Record<string, unknown>;
  return new Problem({
    status: response.status,
    message:
      text(message) ??
      codes(body) ??
      `The server answered ${response.status} ${response.statusText}.`.replace(' .', '.'),
    requestId: text(requestId),
    body,
  });
}

/** Some services answer with codes: `["message_blank"]`. */
function codes(body: unknown): string | undefined {
  return Array.isArray(body) ? `${body.join(', ').replaceAll('_', ' ')}.` : undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
