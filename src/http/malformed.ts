import type { Socket } from 'node:net';
import { problemDocument } from './errors.ts';
import { maySendLong } from './long-body.ts';
import { http } from './node-http.ts';

const PROBLEMS: Readonly<Record<string, readonly [status: number, message: string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'The headers are too large; send less than 16 KiB.'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'The request took too long to arrive.'],
};

/** Answers what is no HTTP, or stopped being it: there is no request to answer, only the socket. */
export function refuseMalformed(error: Error & { code?: string }, socket: Socket): void {
  // Node looks at the time of a request once; whoever reads a long body has limits of its own.
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && maySendLong(socket)) return;
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const [status, message] = PROBLEMS[error.code ?? ''] ?? [400, 'This is not a valid HTTP request.'];
  const body = problemDocument({ status, message }, 'none');
  socket.end(
    `HTTP/1.1 ${status} ${http.STATUS_CODES[status]}\r\ncontent-type: application/problem+json; charset=utf-8\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
