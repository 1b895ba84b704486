/**
 * An error whose message is for the client: what is wrong and what to do. Everything else is answered as a 500 that tells
 * nothing. Becomes an RFC 9457 problem document with a `message` member.
 */
export class ClientError extends Error {
  readonly status: number;
  /** Further members of the problem document. */
  readonly members: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
  constructor(
    status: number,
    message: string,
    options: { members?: Record<string, unknown>; headers?: Record<string, string>; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'ClientError';
    this.status = status;
    this.members = options.members ?? {};
    this.headers = options.headers ?? {};
  }
}
