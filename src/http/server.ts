import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { IdentityServer } from '../identity/identity.ts';
import { registerIdentityRoutes } from '../identity/routes.ts';
import type { Live } from '../live/live.ts';
import type { Topics } from '../live/topics.ts';
import type { Config } from '../runtime/config.ts';
import { Connections, type ConnectionsOptions } from './connections.ts';
import { type ConsoleOptions, installConsole } from './console/console.ts';
import { endWith } from './end-with.ts';
import { answerError, installErrors } from './errors.ts';
import { installHealth } from './health.ts';
import type { Kit } from './kit.ts';
import { refuseMalformed } from './malformed.ts';
import { type GaugeSource, installMetrics } from './metrics.ts';
import { installOpenApi } from './openapi.ts';
import { installCors, type OriginCheck, originCheck } from './origin.ts';
import { installPages } from './pages.ts';
import { awaitPositions } from './positions.ts';
import { limitRate, RateLimit } from './rate-limit.ts';
import { RequestHistogram } from './request-histogram.ts';
import { KEEP_ALIVE_SECONDS } from './send-whole.ts';
import type { SocketLimits } from './socket-session.ts';
import { asksForSocket, installSockets } from './sockets.ts';
import { installTopicStream } from './topic-stream.ts';
import { schemaController } from './validation.ts';

/** A service as the server sees it: its routes go under `/<name>`. */
export interface MountedService {
  readonly name: string;
  readonly title: string;
  /** Their names; each is followed as `<service>/<topic>/<key>`. */
  readonly topics?: readonly string[];
  routes(app: FastifyInstance): void | Promise<void>;
}

export interface ServerOptions {
  readonly config: Config;
  readonly live: Live;
  readonly topics: Topics;
  readonly identity: IdentityServer;
  readonly services: readonly MountedService[];
  readonly log: Logger;
  /** More numbers for `/metrics`. */
  readonly gauges?: readonly GaugeSource[];
  /** What the console shows beside what every server has; without it there is none. */
  readonly console?: ConsoleOptions;
  /** Folder of the built pages; `web/dist` unless told. */
  readonly pages?: string;
  readonly limits?: {
    readonly sockets?: SocketLimits;
    readonly connections?: ConnectionsOptions;
    /** Milliseconds that a request may take to arrive; 30,000 unless told. */
    readonly requestMs?: number;
  };
}

/** Requests a second of one address, unless the configuration says. */
const GENEROUS = 1000;
/** Hashing a password costs tens of milliseconds and megabytes; a mail costs more. */
const COSTLY = { perSecond: 10, burst: 50, spareLoopback: true };
const BODY_BYTES = 64 * 1024;
const HEADER_BYTES = 16 * 1024;
const REQUEST_MS = 30_000;
const MAX_SOCKETS = 16_384;

/** The HTTP server, with all its routes, not yet listening. Stop it with `drain`. */
export function createServer(options: ServerOptions): FastifyInstance {
  const { config, services, identity, log } = options;
  const app = bareServer(options);
  const checkOrigin = originCheck(config);
  const kit = kitOf(options, checkOrigin);
  const requests = new RequestHistogram();
  app.decorate('lockstep', kit);
  requests.install(app);
  const answerMissing = installErrors(app, log);
  installGate(app, config, checkOrigin);
  installCors(app, config.corsOrigins);
  installOpenApi(app, services);
  app.register(async (routes) => {
    installHealth(routes, kit);
    installMetrics(routes, { kit, requests, gauges: options.gauges ?? [] });
    registerIdentityRoutes(routes, identity, { onRequest: limitRate(COSTLY) });
    installSockets(routes, options.limits?.sockets ?? {});
    installTopicStream(routes);
  });
  if (options.console) app.register(installConsole, { ...options.console, kit, requests });
  for (const service of services)
    app.register(
      async (routes) => {
        awaitPositions(routes, kit.live);
        await service.routes(routes);
      },
      { prefix: `/${service.name}` },
    );
  app.register(installPages, {
    folder: options.pages ?? fileURLToPath(new URL('../../web/dist', import.meta.url)),
    services,
    answerMissing,
    secure: config.publicUrl?.startsWith('https:') ?? false,
  });
  // Before the server waits for its connections to end.
  app.addHook('preClose', async () => kit.connections.end());
  return app;
}

function bareServer({ config, log, limits }: ServerOptions): FastifyInstance {
  const { requestMs = REQUEST_MS } = limits ?? {};
  const app = Fastify({
    // A logger would add listeners to every response (DESIGN: 30 us a write is all there is); errors are logged by their handler.
    logger: false,
    schemaController,
    trustProxy: trustedProxies(config.trustProxy),
    bodyLimit: BODY_BYTES,
    requestTimeout: requestMs,
    keepAliveTimeout: KEEP_ALIVE_SECONDS * 1000,
    http: {
      optimizeEmptyRequests: true,
      maxHeaderSize: HEADER_BYTES,
      headersTimeout: requestMs,
      connectionsCheckingInterval: Math.min(REQUEST_MS, requestMs),
      shouldUpgradeCallback: asksForSocket,
    },
    routerOptions: { maxParamLength: 200 },
    genReqId: requestIds(),
    clientErrorHandler: refuseMalformed,
    frameworkErrors: (error, _request, reply) => answerError(error, reply as never, log) as never,
  }) as unknown as FastifyInstance;
  app.server.maxConnections = MAX_SOCKETS;
  // Bodies are JSON: a form or text from another site's page must not pass for one.
  app.removeContentTypeParser('text/plain');
  return app;
}

function kitOf({ config, live, topics, identity, log, limits }: ServerOptions, checkOrigin: OriginCheck): Kit {
  const connections = new Connections({ spareLoopback: config.rateLimit === undefined, ...limits?.connections });
  const door = { upgrades: new WeakMap(), checkOrigin };
  return { config, live, topics, identity, log, connections, door, draining: false };
}

/**
 * What every request passes: the rate limit and, for what is no GET, the Origin. Answers are not to be taken for another type, and
 * hold no file open when nobody takes them.
 */
function installGate(app: FastifyInstance, config: Config, checkOrigin: OriginCheck): void {
  const perSecond = config.rateLimit ?? GENEROUS;
  const limit = perSecond > 0 ? new RateLimit({ perSecond, spareLoopback: config.rateLimit === undefined }) : undefined;
  app.addHook('onRequest', (request, _reply, done) => {
    try {
      limit?.admit(request.ip);
      if (request.method !== 'GET') {
        checkOrigin(request);
        forgetTypeOfNothing(request);
      }
      done();
    } catch (error) {
      done(error as Error);
    }
  });
  app.addHook('onSend', (request, reply, payload, done) => {
    reply.header('x-content-type-options', 'nosniff');
    endWith(request.raw.socket, payload);
    done(null, payload);
  });
}

/** What announces no body gets no stream (`optimizeEmptyRequests`); with a type, Fastify would wait for the stream to end. */
function forgetTypeOfNothing({ headers }: FastifyRequest): void {
  if (headers['content-length'] === undefined && headers['transfer-encoding'] === undefined)
    delete headers['content-type'];
}

/** A number of proxies is told by how far from this server an address is. */
function trustedProxies(trust: Config['trustProxy']): boolean | string[] | ((address: string, hop: number) => boolean) {
  if (typeof trust === 'number') return (_address, hop) => hop < trust;
  return typeof trust === 'boolean' ? trust : [...trust];
}

/** Ids that differ between processes too, so that one line of a log belongs to one request. */
function requestIds(): () => string {
  const process = randomBytes(5).toString('hex');
  let count = 0;
  return () => `${process}-${(count++).toString(36)}`;
}
