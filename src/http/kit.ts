import type { Logger } from 'pino';
import type { IdentityServer } from '../identity/identity.ts';
import type { Live } from '../live/live.ts';
import type { Topics } from '../live/topics.ts';
import type { Config } from '../runtime/config.ts';
import type { Connections } from './connections.ts';
import type { SocketDoor } from './socket-route.ts';

/** What the server's parts share, as `app.lockstep`. */
export interface Kit {
  readonly config: Config;
  readonly live: Live;
  readonly topics: Topics;
  readonly identity: IdentityServer;
  readonly log: Logger;
  readonly connections: Connections;
  readonly door: SocketDoor;
  /** Set once, by `drain`: not ready from then on. */
  draining: boolean;
}

declare module 'fastify' {
  interface FastifyInstance {
    lockstep: Kit;
  }
}
