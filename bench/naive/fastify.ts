import Fastify from 'fastify';
import type { NaiveServer } from './express.ts';
import type { Games, Submission } from './games.ts';
import { readResult } from './result.ts';

const text = { type: 'string' };
const integer = { type: 'integer' };
const submitted = { type: 'object', properties: { username: text, gametime: text, level: integer, score: integer } };
const entry = { type: 'object', properties: { username: text, gamedate: text, level: integer, score: integer } };
const board = { type: 'array', items: entry };
const boards = { type: 'object', properties: { overall: board, monthly: board, daily: board } };

/** The naive way on Fastify 5, its answers serialised by schema, listening on a free port of this machine. */
export async function serveFastify(games: Games, signIn: (token?: string) => Promise<string>): Promise<NaiveServer> {
  const app = Fastify();
  app.post<{ Params: Submission }>(
    '/leaderboard/users/:username',
    { schema: { response: { 200: submitted } } },
    async ({ headers, params, body }, reply) => {
      const signedIn = await signIn(headers.authorization).catch(() => undefined);
      if (signedIn === undefined) return reply.code(401).send({ message: 'invalid token' });
      const { username } = params;
      if (username !== signedIn) return reply.code(403).send({ message: 'not your name' });
      const result = readResult(body);
      if (!result) return reply.code(400).send({ message: 'bad level or score' });
      return games.submit({ username, ...result });
    },
  );
  app.get<{ Params: { date: string }; Querystring: { limit?: string } }>(
    '/leaderboard/scores/:date',
    { schema: { response: { 200: boards } } },
    ({ params, query }) => games.boards(params.date, Number(query.limit ?? 5)),
  );
  await app.listen({ port: 0, host: '127.0.0.1' });
  return { server: app.server };
}
