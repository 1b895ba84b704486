import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { WebSocketServer } from 'ws';
import type { User } from '../identity/identity.ts';
import { ClientError } from '../record/errors.ts';
import { ClientSocket, type SocketHandler, type Wire } from './client-socket.ts';
import type { OriginCheck } from './origin.ts';
import { bearerToken } from './token.ts';

const CLOSE_MS = 2000;

/** A path on which clients open WebSockets. */
export interface SocketRoute {
  /** Bytes of one message from a client; a larger one ends the connection with 1009. */
  readonly maxPayload: number;
  /** Subprotocols that are understood; a client that asks for none of them gets a socket without one. */
  readonly protocols?: readonly string[];
  /** Milliseconds a client has to answer a close; 2000 unless told. */
  readonly closeMs?: number;
  /** Asked before the socket opens; throws `ClientError` to refuse it with that status. */
  admit?(request: FastifyRequest, user: User | null): void | Promise<void>;
  /** The socket is open: returns what takes its messages. Must not throw. */
  open(socket: ClientSocket, request: FastifyRequest): SocketHandler;
}

/** A connection that Node handed over because its request asks for a WebSocket. */
export interface Upgrade {
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** What socket routes need of the server. */
export interface SocketDoor {
  readonly upgrades: WeakMap<IncomingMessage, Upgrade>;
  readonly checkOrigin: OriginCheck;
}

/**
 * A GET route's handler that opens a WebSocket. The request has gone through the same hooks as any other (rate limit, problem
 * documents), so a refused one is answered like a refused request: 426 without an upgrade, 403 for a page of another origin, 401
 * for a bad token, 429 and 503 for too many connections.
 */
export function socketRoute(
  route: SocketRoute,
): (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply> {
  const { maxPayload, protocols = [], closeMs = CLOSE_MS } = route;
  const server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload,
    clientTracking: false,
    handleProtocols: (asked) => [...asked].find((name) => protocols.includes(name)) ?? false,
  });
  return async (request, reply) => {
    const { door, identity, log, connections } = request.server.lockstep;
    const upgrade = door.upgrades.get(request.raw);
    if (!upgrade) {
      throw new ClientError(426, 'This path speaks WebSocket; connect with a WebSocket client.', {
        headers: { upgrade: 'websocket', connection: 'upgrade' },
      });
    }
    door.checkOrigin(request);
    const client = new ClientSocket({ identity, log, address: request.ip, closeMs, counts: connections });
    const token = bearerToken(request);
    if (token) await client.authenticate(token);
    await route.admit?.(request, client.user);
    if (upgrade.socket.destroyed) return reply.hijack();
    upgrade.socket.once('close', connections.add(request.ip, client));
    reply.hijack();
    reply.raw.detachSocket(upgrade.socket as never);
    server.handleUpgrade(request.raw, upgrade.socket, upgrade.head, (socket) => {
      // With the binary type that `ws` has from the start, every message is one Buffer.
      client.attach(socket as Wire, upgrade.socket);
      client.serve(route.open(client, request));
    });
    return reply;
  };
}
