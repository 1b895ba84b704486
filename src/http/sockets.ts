import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { http } from './node-http.ts';
import { socketRoute } from './socket-route.ts';
import { type SocketLimits, SocketSession } from './socket-session.ts';

/** Bytes of one message from a client: a token fits. */
const MAX_PAYLOAD = 16_384;

/** Whether a request asks for a WebSocket; what asks for another protocol is answered in this one (RFC 9110, 7.8). */
export function asksForSocket(request: IncomingMessage): boolean {
  return request.method === 'GET' && request.headers.upgrade?.toLowerCase() === 'websocket';
}

/** Lets upgrades through the same hooks and errors as any request, and opens `/live`. */
export function installSockets(app: FastifyInstance, limits: SocketLimits): void {
  app.server.on('upgrade', (raw: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    try {
      app.lockstep.door.upgrades.set(raw, { socket, head });
      app.routing(raw, responseOn(raw, socket));
    } catch (error) {
      // From a listener it would end the process.
      socket.destroy();
      if (!isUnanswered(error)) app.lockstep.log.error({ err: error }, 'upgrade failed');
    }
  });
  const open = socketRoute({
    maxPayload: MAX_PAYLOAD,
    ...(limits.closeMs === undefined ? {} : { closeMs: limits.closeMs }),
    open: (socket) => new SocketSession({ kit: app.lockstep, socket, limits }),
  });
  app.get('/live', { schema: { hide: true } }, open);
}

/** A response on a socket that Node has handed over; it ends the socket when it is sent. Throws while another one is on it. */
function responseOn(raw: IncomingMessage, socket: Duplex): ServerResponse {
  const response = new http.ServerResponse(raw);
  response.shouldKeepAlive = false;
  response.assignSocket(socket as never);
  response.on('finish', () => socket.end());
  return response;
}

/** A client sent an upgrade before it had its answers, which it may not (RFC 9110, 7.8): there is no refusing it in its turn. */
function isUnanswered(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ERR_HTTP_SOCKET_ASSIGNED';
}
