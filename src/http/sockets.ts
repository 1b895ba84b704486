import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { WebSocketServer } from 'ws';
import { ClientError } from '../record/errors.ts';
import type { OriginCheck } from './origin.ts';
import { type SocketLimits, SocketSession } from './socket-session.ts';
import { bearerToken } from './token.ts';

/** Bytes of one message from a client: a token fits. */
const MAX_PAYLOAD = 16_384;

export interface SocketOptions {
  readonly checkOrigin: OriginCheck;
  readonly limits: SocketLimits;
}

interface Upgrade {
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** Whether a request asks for a WebSocket; what asks for another protocol is answered in this one (RFC 9110, 7.8). */
export function asksForSocket(request: IncomingMessage): boolean {
  return request.method === 'GET' && request.headers.upgrade?.toLowerCase() === 'websocket';
}

/**
 * WebSockets at `/live`. An upgrade goes through the same hooks and errors as any request (rate limit, Origin, problem
 * documents), so a refused one is answered like a refused request.
 */
export function installSockets(app: FastifyInstance, { checkOrigin, limits }: SocketOptions): void {
  const upgrades = new WeakMap<IncomingMessage, Upgrade>();
  const server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_PAYLOAD,
    clientTracking: false,
  });
  app.server.on('upgrade', (raw: IncomingMessage, socket: Duplex, head: Buffer) => {
    upgrades.set(raw, { socket, head });
    app.routing(raw, responseOn(raw, socket));
  });
  app.get('/live', { schema: { hide: true } }, async (request, reply) => {
    const upgrade = upgrades.get(request.raw);
    if (!upgrade) {
      throw new ClientError(426, 'This path speaks WebSocket; connect with a WebSocket client.', {
        headers: { upgrade: 'websocket', connection: 'upgrade' },
      });
    }
    checkOrigin(request);
    const session = new SocketSession(app.lockstep, limits);
    const token = bearerToken(request);
    if (token) await session.authenticate(token);
    if (upgrade.socket.destroyed) return reply.hijack();
    const leave = app.lockstep.connections.add(request.ip, session);
    upgrade.socket.once('close', leave);
    reply.hijack();
    reply.raw.detachSocket(upgrade.socket as never);
    open(server, request, upgrade, session);
    return reply;
  });
}

function open(
  server: WebSocketServer,
  request: FastifyRequest,
  { socket, head }: Upgrade,
  session: SocketSession,
): void {
  server.handleUpgrade(request.raw, socket, head, (client) => session.attach(client));
}

/** A response on a socket that Node has handed over; it ends the socket when it is sent. */
function responseOn(raw: IncomingMessage, socket: Duplex): ServerResponse {
  const response = new ServerResponse(raw);
  response.shouldKeepAlive = false;
  socket.on('error', () => socket.destroy());
  response.assignSocket(socket as never);
  response.on('finish', () => socket.end());
  return response;
}
