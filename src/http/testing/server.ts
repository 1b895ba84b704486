import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { Type } from 'typebox';
import { ClientError } from '../../record/errors.ts';
import { type ConfigFile, loadConfig } from '../../runtime/config.ts';
import { CachedAnswers } from '../cached-answers.ts';
import { idempotencyKey } from '../idempotency.ts';
import { sendWritten } from '../positions.ts';
import { createServer, type ServerOptions } from '../server.ts';
import { sendEvents } from '../sse.ts';
import { bearerToken } from '../token.ts';
import { TestIdentity } from './identity.ts';
import { TestLive, TestTopics, TestView } from './live.ts';

export interface TestServer {
  readonly app: FastifyInstance;
  readonly live: TestLive;
  readonly topics: TestTopics;
  readonly view: TestView;
  readonly identity: TestIdentity;
  /** Lines of the log, parsed. */
  readonly logged: Record<string, unknown>[];
  /** Listens, and returns the port. */
  listen(): Promise<number>;
}

/** A whole server with one sample service on pieces that the test holds; closed after the test. */
export async function testServer(
  t: Pick<TestContext, 'after'>,
  overrides: ConfigFile = {},
  options: Partial<ServerOptions> = {},
): Promise<TestServer> {
  const pieces = { live: new TestLive(), topics: new TestTopics(), view: new TestView(), identity: new TestIdentity() };
  const logged: Record<string, unknown>[] = [];
  const log = pino({}, { write: (line: string) => void logged.push(JSON.parse(line)) });
  const config = await loadConfig({ env: {}, cwd: import.meta.dirname, overrides });
  const services = [{ name: 'sample', title: 'A sample', routes: (app: FastifyInstance) => routes(app, pieces) }];
  const app = createServer({ config, ...pieces, services, log, ...options });
  t.after(async () => {
    app.server.closeAllConnections();
    await app.close();
  });
  const listen = async () => {
    await app.listen({ host: '127.0.0.1', port: 0 });
    return (app.server.address() as AddressInfo).port;
  };
  return { app, ...pieces, logged, listen };
}

/** One route of every sort that services have. */
function routes(app: FastifyInstance, { live, view, identity }: Omit<TestServer, 'app' | 'logged' | 'listen'>): void {
  const answers = new CachedAnswers(view);
  const Limit = Type.Object({ limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })) });
  const Body = Type.Object({
    score: Type.Union([Type.Integer(), Type.String({ pattern: '^\\d{1,10}$' })]),
    note: Type.Optional(Type.String()),
  });
  const read = { schema: { querystring: Limit }, config: { readsView: true } };
  app.get<{ Querystring: { limit?: number } }>('/numbers', read, (request, reply) =>
    answers.send(request, reply, {
      key: `limit ${request.query.limit ?? 5}`,
      queries: () => [{}],
      body: ([number]) => ({ number, limit: request.query.limit ?? 5 }),
    }),
  );
  app.post<{ Body: { score: number | string } }>('/numbers', { schema: { body: Body } }, async (request, reply) => {
    const user = await identity.verify(bearerToken(request));
    const value = { user: user.username, score: Number(request.body.score), key: idempotencyKey(request) ?? null };
    return sendWritten(reply, { value, receipt: { xid: 1n } }, live);
  });
  app.get<{ Params: { key: string } }>('/numbers/:key/stream', (request, reply) =>
    sendEvents(reply, 'sample/numbers', request.params.key, request),
  );
  app.get<{ Params: { key: string } }>('/private/:key/stream', (request, reply) =>
    sendEvents(reply, 'sample/private', request.params.key, request),
  );
  app.get('/refused', async () => {
    throw new ClientError(409, 'Not twice.', { members: { id: 7 }, headers: { 'retry-after': '3' } });
  });
  app.get('/broken', async () => {
    throw Object.assign(new Error('password is hunter2'), { statusCode: 403 });
  });
  app.get<{ Querystring: { code: string } }>('/sql', async ({ query }) => {
    throw Object.assign(new Error('value in table secrets'), { code: query.code, severity: 'ERROR' });
  });
}
