import type { Socket } from 'node:net';
import type { FastifyRequest } from 'fastify';
import { ClientError } from '../record/errors.ts';

/** Milliseconds of waiting for the client in which some of the body must come, and how many bytes: slower is given up. */
const WINDOW_MS = 30_000;
const LEAST_BYTES = 256 * 1024;
/** Milliseconds that all of it may take. */
const TOTAL_MS = 15 * 60_000;

/** Requests that may take longer than the server's limit, by their sockets. */
const spared = new WeakMap<Socket, FastifyRequest['raw']>();

/**
 * The body as it comes, for as long as it comes: the server's limit on a request's time is not for it. Throws 408 when the
 * client sent less than 256 KiB in 30 s of waiting for it, since next to nothing must not hold a transaction open, and when it is
 * not whole after 15 minutes; 400 when the client went away. For routes whose content type parser leaves the body unread.
 */
export async function* longBody(
  { raw }: FastifyRequest,
  { windowMs = WINDOW_MS, totalMs = TOTAL_MS }: { readonly windowMs?: number; readonly totalMs?: number } = {},
): AsyncGenerator<Uint8Array> {
  spared.set(raw.socket, raw);
  // The rest may go unread, but the connection is needed for the answer that says why.
  const chunks: AsyncIterator<Uint8Array> = raw.iterator({ destroyOnReturn: false });
  const silence = Promise.withResolvers<never>();
  silence.promise.catch(() => {});
  const tooSlow = () => late(`comes too slowly: less than ${LEAST_BYTES} bytes in ${windowMs / 1000} s`);
  let waiting = true;
  const timer = setTimeout(() => waiting && silence.reject(tooSlow()), windowMs);
  const end = performance.now() + totalMs;
  try {
    for (let [waited, bytes] = [0, 0]; ; ) {
      const began = performance.now();
      if (began > end) throw late(`takes too long: it is not whole after ${totalMs / 1000} s`);
      waiting = true;
      timer.refresh();
      const next = await Promise.race([chunks.next(), silence.promise]);
      waiting = false;
      if (next.done) return;
      waited += performance.now() - began;
      bytes += next.value.length;
      if (waited > windowMs) {
        if (bytes < LEAST_BYTES) throw tooSlow();
        waited = bytes = 0;
      }
      yield next.value;
    }
  } catch (error) {
    if (!raw.errored) throw error;
    throw new ClientError(400, 'The body ended before it was whole.', { cause: error });
  } finally {
    clearTimeout(timer);
    spared.delete(raw.socket);
  }
}

function late(what: string): ClientError {
  return new ClientError(408, `The body ${what}.`, { headers: { connection: 'close' } });
}

/** Whether the server's limit on a request's time is not for what this socket is sending. */
export function maySendLong(socket: Socket): boolean {
  return spared.has(socket);
}
