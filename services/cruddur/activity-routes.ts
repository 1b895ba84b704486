import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import {
  CachedAnswers,
  microsToIso,
  minPosition,
  newest,
  profile,
  sendAnswer,
  sendEvents,
  sendWritten,
  sendWrittenJson,
} from '../../src/index.ts';
import { ActivityWrites, type Posted } from './activity-writes.ts';
import { activityBody, firstExpiry, homeBody } from './answers.ts';
import { pathUuid, readBefore, readPost, readReply, readTerm, type Sent } from './input.ts';
import { PAGE } from './reads.ts';
import type { Parts } from './routes.ts';
import * as schemas from './schemas.ts';
import { asPerson } from './views.ts';

export function activityRoutes(app: FastifyInstance, parts: Parts): void {
  const writes = new ActivityWrites(parts.context);
  homeRoutes(app, parts);
  postRoutes(app, parts, writes);
  reactionRoutes(app, parts, writes);
  listRoutes(app, parts);
}

function homeRoutes(app: FastifyInstance, { context, reads }: Parts): void {
  const { feed } = context.views;
  const answers = new CachedAnswers(feed);
  const later = async (
    request: FastifyRequest<schemas.PageRequest>,
    reply: FastifyReply,
    limit: number,
    uuid: string,
  ) => {
    const queries = [newest({ limit, now: wallMicros(), before: await reads.activityId(uuid) })] as const;
    const answer = await feed.read(queries, { minPosition: minPosition(request) });
    return sendAnswer(reply, answer, homeBody(answer.results[0]));
  };
  app.get<schemas.PageRequest>(
    '/activities/home',
    { schema: { tags: schemas.TAGS, summary: 'The newest posts that have not expired', querystring: schemas.Page } },
    (request, reply) => {
      const { limit = PAGE } = request.query;
      const before = readBefore(request.query.before);
      if (before !== undefined) return later(request, reply, limit, before);
      return answers.send(request, reply, {
        key: `${limit}`,
        queries: () => [newest({ limit, now: wallMicros() })] as const,
        body: ([entries]) => homeBody(entries),
        until: ([entries]) => firstExpiry(entries),
      });
    },
  );
  app.get(
    '/activities/home/stream',
    { schema: { tags: schemas.TAGS, summary: 'New posts and the counts of posts, as server-sent events' } },
    (_request, reply) => sendEvents(reply, 'cruddur/feed', 'home'),
  );
}

function postRoutes(fastify: FastifyInstance, { context, reads, caller }: Parts, writes: ActivityWrites): void {
  const app = fastify.withTypeProvider<TypeBoxTypeProvider>();
  const made = async (userId: number, posted: Posted) => {
    const { results } = await context.views.inbox.read([profile({ id: userId })]);
    // The view may not know yet who has just come.
    const author = asPerson(results[0]) ?? (await reads.me(userId));
    return activityBody({ ...posted, replies_count: 0, likes_count: 0, reposts_count: 0 }, author);
  };
  app.post(
    '/activities',
    {
      attachValidation: true,
      schema: {
        tags: schemas.TAGS,
        summary: 'Post something that expires',
        security: schemas.SIGNED_IN,
        body: schemas.Post,
      },
    },
    async (request, reply) => {
      const userId = await caller.id(request);
      const written = await writes.post({ userId, ...readPost(sentBy(request)) });
      const body = await made(userId, written.value);
      return sendWrittenJson(reply, written, context.live, JSON.stringify(body));
    },
  );
  app.post(
    '/activities/:uuid/reply',
    {
      attachValidation: true,
      schema: {
        tags: schemas.TAGS,
        summary: 'Reply; the reply expires with the post',
        security: schemas.SIGNED_IN,
        params: schemas.ActivityPath,
        body: schemas.Reply,
      },
    },
    async (request, reply) => {
      const userId = await caller.id(request);
      const { uuid } = request.params;
      const read = readReply(uuid, sentBy(request));
      const written = await writes.reply({ userId, ...read });
      const body = { ...(await made(userId, written.value)), reply_to_activity_uuid: read.parent };
      return sendWritten(reply, written, context.live, body);
    },
  );
}

function reactionRoutes(fastify: FastifyInstance, { context, reads, caller }: Parts, writes: ActivityWrites): void {
  const app = fastify.withTypeProvider<TypeBoxTypeProvider>();
  for (const [path, table, name] of [
    ['like', 'likes', 'Like'],
    ['repost', 'reposts', 'Repost'],
  ] as const)
    for (const [method, what] of [
      ['POST', 'add'],
      ['DELETE', 'remove'],
    ] as const)
      app.route({
        method,
        url: `/activities/:uuid/${path}`,
        schema: {
          tags: schemas.TAGS,
          summary: `${what === 'add' ? `${name} a post` : `Take back a ${path}`}; sending it again changes nothing`,
          security: schemas.SIGNED_IN,
          params: schemas.ActivityPath,
        },
        async handler(request, reply) {
          const userId = await caller.id(request);
          const { uuid } = request.params as { uuid: string };
          const activity = pathUuid(uuid, 'activity_uuid_blank');
          const written = await writes.react(table, what, { userId, activity });
          return sendWritten(reply, written, context.live, { uuid: activity, [table]: what === 'add' });
        },
      });
  app.get(
    '/activities/reactions',
    { schema: { tags: schemas.TAGS, summary: 'Which posts I like and have reposted', security: schemas.SIGNED_IN } },
    async (request) => reads.reactions(await caller.id(request)),
  );
}

function listRoutes(fastify: FastifyInstance, { reads, caller }: Parts): void {
  const app = fastify.withTypeProvider<TypeBoxTypeProvider>();
  app.get(
    '/activities/@:handle',
    {
      schema: {
        tags: schemas.TAGS,
        summary: "Somebody's profile and posts",
        params: schemas.HandlePath,
        querystring: schemas.Before,
      },
    },
    async ({ params, query }) => {
      const { profile, activities } = await reads.profile(params.handle, readBefore(query.before));
      return { profile, activities: activities.map((one) => activityBody(one, one)) };
    },
  );
  app.get(
    '/activities/@:handle/status/:uuid',
    { schema: { tags: schemas.TAGS, summary: 'A post and its replies', params: schemas.StatusPath } },
    async ({ params }) => {
      const { activity, replies } = await reads.status(params.handle, pathUuid(params.uuid, 'activity_uuid_blank'));
      return { activity: activityBody(activity, activity), replies: replies.map((one) => activityBody(one, one)) };
    },
  );
  app.get(
    '/activities/search',
    { schema: { tags: schemas.TAGS, summary: 'Posts and replies with these words', querystring: schemas.Search } },
    async ({ query }) => {
      const found = await reads.searchActivities(readTerm(query.term));
      return found.map((one) => activityBody(one, one));
    },
  );
  app.get(
    '/activities/notifications',
    {
      schema: {
        tags: schemas.TAGS,
        summary: 'Replies, likes, reposts and mentions of mine',
        security: schemas.SIGNED_IN,
      },
    },
    async (request) => {
      const found = await reads.notifications(await caller.id(request));
      return found.map((one) => ({ type: one.type, at: microsToIso(one.at), ...activityBody(one, one) }));
    },
  );
}

/** The wall clock, by which kept answers end too: `nowMicros` may be two milliseconds off it, and expiry is told to the millisecond. */
function wallMicros(): number {
  return Date.now() * 1000;
}

/** The body, whatever it is: what it lacks is told by its codes. */
export function sentBy(request: FastifyRequest): Sent {
  const { body } = request;
  return typeof body === 'object' && body !== null ? (body as Sent) : {};
}
