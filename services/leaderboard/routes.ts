import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import {
  bearerToken,
  CachedAnswers,
  ClientError,
  history,
  idempotencyKey,
  microsToIso,
  minPosition,
  type ServiceContext,
  sendAnswer,
  sendEvents,
  sendWritten,
  sendWrittenJson,
  standing,
  type User,
} from '../../src/index.ts';
import { boardQueries, boardsOf, checkedDay, dateText, today } from './boards.ts';
import { readResult } from './game.ts';
import { rankOf } from './rank.ts';
import * as schemas from './schemas.ts';
import { readSettings } from './settings.ts';
import type { Game, views } from './views.ts';
import { type Submitted, Writes } from './writes.ts';

type Context = ServiceContext<typeof views>;

const TAGS = ['leaderboard'];
const SIGNED_IN = [{ token: [] }];

export function routes(app: FastifyInstance, context: Context): void {
  const writes = new Writes(context);
  accountRoutes(app, context);
  submitRoute(app, context, writes);
  removeRoute(app, context, writes);
  playerRoutes(app, context);
  boardRoutes(app, context);
}

function accountRoutes(fastify: FastifyInstance, { identity }: Context): void {
  const app = fastify.withTypeProvider<TypeBoxTypeProvider>();
  app.post(
    '/users',
    {
      schema: {
        tags: TAGS,
        summary: 'Sign up',
        body: schemas.Account,
        response: { 200: schemas.Named, '4xx': schemas.Problem },
      },
    },
    async ({ body }) => {
      const { username } = await identity.signUp(body);
      return { username };
    },
  );
  app.post(
    '/login',
    {
      schema: {
        tags: TAGS,
        summary: 'Log in',
        body: schemas.Credentials,
        response: { 200: schemas.Tokens, '4xx': schemas.Problem },
      },
    },
    async ({ body, ip }, reply) => {
      reply.header('cache-control', 'no-store');
      return identity.login({ ...body, address: ip });
    },
  );
}

function submitRoute(fastify: FastifyInstance, { identity, live, settings: given }: Context, writes: Writes): void {
  const app = fastify.withTypeProvider<TypeBoxTypeProvider>();
  const settings = readSettings(given);
  app.post(
    '/users/:username',
    {
      // The handler says what is wrong with a result, after it has asked who is sending it.
      attachValidation: true,
      schema: {
        tags: TAGS,
        summary: "Submit a game's result",
        description: 'Answered when the game is durable and on the boards.',
        security: SIGNED_IN,
        params: schemas.Named,
        headers: schemas.SubmitHeaders,
        body: schemas.resultSchema(settings),
        response: { 200: schemas.Submitted, '4xx': schemas.Problem },
      },
    },
    async (request, reply) => {
      const user = await signedIn(request, identity);
      const { username } = request.params;
      if (username !== user.username) {
        throw new ClientError(403, `You are ${user.username}: submit under your own name, not ${username}.`);
      }
      const result = readResult(request.body ?? {}, settings);
      if (typeof result === 'string') throw new ClientError(400, `${result}.`);
      const submission = { username, ...result };
      const key = idempotencyKey(request);
      const written = await (key === undefined ? writes.submit(submission) : writes.submitOnce(submission, key, user));
      return sendWrittenJson(reply, written, live, JSON.stringify(submittedBody(written.value)));
    },
  );
}

function submittedBody({ username, gamedate, level, score }: Submitted) {
  return { username, gametime: microsToIso(gamedate), level, score };
}

function removeRoute(fastify: FastifyInstance, { identity, live }: Context, writes: Writes): void {
  const app = fastify.withTypeProvider<TypeBoxTypeProvider>();
  app.delete(
    '/games/:game_id',
    {
      schema: {
        tags: TAGS,
        summary: 'Take a game off every board',
        description: 'For admins.',
        security: SIGNED_IN,
        params: schemas.GamePath,
        response: { 200: schemas.Removed, '4xx': schemas.Problem },
      },
    },
    async (request, reply) => {
      const user = await signedIn(request, identity);
      if (!user.roles.includes('admin')) throw new ClientError(403, 'Only an admin may take a game off the boards.');
      return sendWritten(reply, await writes.remove(request.params.game_id), live);
    },
  );
}

async function signedIn(request: FastifyRequest, identity: Context['identity']): Promise<User> {
  return identity.verify(bearerToken(request));
}

function playerRoutes(fastify: FastifyInstance, { views: { games } }: Context): void {
  const app = fastify.withTypeProvider<TypeBoxTypeProvider>();
  app.get(
    '/users/:username',
    {
      config: { readsView: true },
      schema: {
        tags: TAGS,
        summary: "A player's games, best first",
        params: schemas.Named,
        querystring: schemas.limitQuery(10, 1000),
        response: { 200: schemas.History, '4xx': schemas.Problem },
      },
    },
    async (request, reply) => {
      const { limit = 10 } = request.query;
      const queries = [history({ player: request.params.username, limit })] as const;
      const answer = await games.read(queries, { minPosition: minPosition(request) });
      const rows = answer.results[0] as unknown as readonly Game[];
      return sendAnswer(
        reply,
        answer,
        rows.map((game) => ({ ...game, gamedate: dateText(game.gamedate) })),
      );
    },
  );
  app.get(
    '/players/:username/rank',
    {
      config: { readsView: true },
      schema: {
        tags: TAGS,
        summary: 'Where a player stands among the players',
        description: "Each player's best game in the window counts. 404 for a player without a game in it.",
        params: schemas.Named,
        querystring: schemas.RankQuery,
        response: { 200: schemas.Rank, '4xx': schemas.Problem },
      },
    },
    async (request, reply) => {
      const { window = 'overall', date = today(), around = 5 } = request.query;
      const board = { board: 'players', window, date: checkedDay(date) } as const;
      const player = request.params.username;
      const queries = [standing({ ...board, member: player, around }), history({ player, limit: 1 })] as const;
      const answer = await games.read(queries, { minPosition: minPosition(request) });
      return sendAnswer(reply, answer, rankOf({ player, ...board, found: answer.results }));
    },
  );
}

interface DayRequest {
  Params: { date: string };
  Querystring: { limit?: number };
}

function boardRoutes(app: FastifyInstance, { views: { games } }: Context): void {
  const answers = new CachedAnswers(games);
  app.get<DayRequest>(
    '/scores/:date',
    {
      config: { readsView: true },
      schema: {
        tags: TAGS,
        summary: 'The best games of all time, of a month and of a day',
        params: schemas.DayPath,
        querystring: schemas.limitQuery(5, 100),
        response: { 200: schemas.Boards, '4xx': schemas.Problem },
      },
    },
    (request, reply) => {
      const date = checkedDay(request.params.date);
      const { limit = 5 } = request.query;
      const queries = () => boardQueries(date, limit);
      return answers.send(request, reply, { key: `${date} ${limit}`, queries, body: boardsOf });
    },
  );
  app.get<DayRequest>(
    '/scores/:date/stream',
    {
      schema: {
        tags: TAGS,
        summary: 'The three boards now and after each change, as server-sent events',
        description:
          'The ten best of each. The event is `state`, its id the position, its data as of GET /scores/{date}.',
        params: schemas.DayPath,
        response: { '4xx': schemas.Problem },
      },
    },
    (request, reply) => sendEvents(reply, 'leaderboard/scores', checkedDay(request.params.date)),
  );
}
