import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { formatPosition } from '../../changes/position.ts';
import type { DeadLetter } from '../../live/projection/letters.ts';
import type { RetryReport } from '../../live/projection/retry.ts';
import { ClientError } from '../../record/errors.ts';
import type { Runtime, SystemStatus } from '../../runtime/runtime.ts';
import { type ControlRoutesOptions, controlRoutes, type Rebuildable } from '../control.ts';
import type { Kit } from '../kit.ts';
import type { RequestHistogram } from '../request-histogram.ts';
import { bearerToken } from '../token.ts';
import { type Measure, Meter, STEP_MS } from './meter.ts';
import { type NodeStatus, nodesOf } from './nodes.ts';
import { type RouteLoad, RouteLoads } from './route-loads.ts';
import { type RecordReport, recordReport } from './slots.ts';
import { consoleTopics, isAdmin } from './topics.ts';

/** A projection as operators treat it. */
interface Operated extends Rebuildable {
  deadLetters(limit: number): Promise<DeadLetter[]>;
  readonly handle: { retry(): Promise<RetryReport> };
}

export interface ConsoleOptions extends ControlRoutesOptions {
  status(): SystemStatus;
  readonly projections: ReadonlyMap<string, Operated>;
  readonly runtime: Pick<Runtime, 'record' | 'live' | 'topics'>;
}

interface Parts extends ConsoleOptions {
  readonly kit: Kit;
  readonly requests: RequestHistogram;
}

/** What `console/status/now` and `GET /console/api/overview` tell. */
export interface ConsoleStatus extends SystemStatus {
  readonly nodes: readonly NodeStatus[];
  /** Milliseconds since 1970. */
  readonly at: number;
  /** The end of the record's log. */
  readonly recordEnd: string;
  /** Whose changes can be watched. */
  readonly tables: readonly string[];
  readonly walLimitBytes: number;
  readonly clients: {
    readonly websockets: number;
    readonly eventStreams: number;
    readonly subscriptions: number;
    /** Requests that wait for a position. */
    readonly waiters: number;
    /** Messages pushed since the start. */
    readonly sent: number;
  };
  /** Answered since the start. */
  readonly requests: number;
  /** The last step of the history. */
  readonly latest: { readonly at: number; readonly values: Readonly<Record<Measure, number | null>> } | null;
}

/** `GET /console/api/details`: what is worth a look every few seconds. */
export interface ConsoleDetails {
  readonly record: RecordReport | null;
  readonly routes: readonly RouteLoad[];
}

const MAX_LETTERS = 100;
const PROJECTION = Type.Object({ projection: Type.String({ maxLength: 200 }) });
const HIDDEN = { schema: { hide: true } };

/** The console's API under `/console/api`, and its topics: for users with the role `admin`. */
export async function installConsole(app: FastifyInstance, parts: Parts): Promise<void> {
  const { kit, requests, runtime } = parts;
  const meter = new Meter({
    status: () => kit.live.status(),
    requests,
    connections: kit.connections,
    topics: kit.topics,
  });
  const loads = new RouteLoads(requests, Date.now());
  const status = () => consoleStatus(parts, meter);
  runtime.topics.add('console', consoleTopics({ status, tables: runtime.live.tables, live: kit.live }));
  const timer = setInterval(() => loads.step(Date.now()), STEP_MS).unref();
  const stops = [meter.start(), kit.live.follow(meter), () => clearInterval(timer)];
  app.addHook('onClose', async () => {
    for (const stop of stops) stop();
  });
  await app.register(
    async (api) => {
      api.addHook('onRequest', async (request) => admit(request, kit));
      controlRoutes(api, parts);
      api.get('/overview', HIDDEN, async () => status());
      api.get('/history', HIDDEN, async () => meter.read());
      api.get('/details', HIDDEN, async () => details(runtime, loads));
      letterRoutes(api, parts);
    },
    { prefix: '/console/api' },
  );
}

async function admit(request: FastifyRequest, { identity }: Kit): Promise<void> {
  const user = await identity.verify(bearerToken(request));
  if (isAdmin(user)) return;
  throw new ClientError(
    403,
    `The console is for admins: have "lockstep users grant ${user.username} admin" run on the server, then log in again.`,
  );
}

async function details({ record }: ConsoleOptions['runtime'], loads: RouteLoads): Promise<ConsoleDetails> {
  return { record: await recordReport(record).catch(() => null), routes: loads.slowest() };
}

function letterRoutes(app: FastifyInstance, { projections }: ConsoleOptions): void {
  const schema = { hide: true, querystring: PROJECTION };
  const chosen = (name: string) => {
    const found = projections.get(name);
    if (found) return found;
    throw new ClientError(404, `There is no projection ${JSON.stringify(name)}; there are ${[...projections.keys()]}.`);
  };
  type Query = { Querystring: { projection: string } };
  app.get<Query>('/dead-letters', { schema }, ({ query }) => chosen(query.projection).deadLetters(MAX_LETTERS));
  app.post<Query>('/retry', { schema }, ({ query }) => chosen(query.projection).handle.retry());
}

function consoleStatus({ status, kit, requests, runtime }: Parts, meter: Meter): ConsoleStatus {
  const system = status();
  const now = Date.now();
  const { connections, topics, config } = kit;
  return {
    ...system,
    nodes: nodesOf(system, now),
    at: now,
    recordEnd: formatPosition(runtime.live.recordEnd),
    tables: runtime.live.tables,
    walLimitBytes: config.walLimitBytes,
    clients: {
      websockets: connections.count('websocket'),
      eventStreams: connections.count('sse'),
      subscriptions: topics.subscribers,
      waiters: runtime.live.waiters,
      sent: connections.sent,
    },
    requests: requests.durations().reduce((sum, value) => sum + value, 0),
    latest: latestOf(meter),
  };
}

function latestOf(meter: Meter): ConsoleStatus['latest'] {
  const { times, series } = meter.read(1);
  if (times.length === 0) return null;
  const values = Object.fromEntries(Object.entries(series).map(([name, [value]]) => [name, value ?? null]));
  return { at: times[0]!, values: values as Readonly<Record<Measure, number | null>> };
}
