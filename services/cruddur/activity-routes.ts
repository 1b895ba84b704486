import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import {
  CachedAnswers,
  microsToIso,
  minPosition,
  newest,
  sendAnswer,
  sendEvents,
  sendWritten,
  sendWrittenJson,
} from '../../src/index.ts';
import { ActivityWrites, type Posted } from './activity-writes.ts';
import { activityBody, firstExpiry, homeBody } from './answers.ts';
import { pathHandle, pathUuid, readBefore, readPost, readReply, readTerm, type Sent } from './input.ts';
import { PAGE } from './reads.ts';
import type { Parts } from './routes.ts';
import * as schemas from './schemas.ts';

export function activityRoutes(app: FastifyInstance, parts: Parts): void {
  const writes = new ActivityWrites(parts.context);
  homeRoutes(app, parts);
  postRoutes(app, parts, writes);
  reactionRoutes(app, parts, writes);
  personRoutes(app, parts);
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
    {
      config: { readsView: true },
      schema: { tags: schemas.TAGS, summary: 'The newest posts that have not expired', querystring: schemas.Page },
    },
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

function postRoutes(fastify: FastifyInstance, { context, caller }: Parts, writes: ActivityWrites): void {
  const app = fastify.withTypeProvider<TypeBoxTypeProvider>();
  const made = (posted: Posted) =>
    activityBody({ ...posted, replies_count: 0, likes_count: 0, reposts_count: 0 }, posted);
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
      const written = await caller.as(request, ({ sub }) => writes.post({ sub, ...readPost(sentBy(request)) }));
      return sendWrittenJson(reply, written, context.live, JSON.stringify(made(written.value)));
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
      const { written, parent } = await caller.as(request, async ({ sub }) => {
        const read = readReply(request.params.uuid, sentBy(request));
        return { written: await writes.reply({ sub, ...read }), parent: read.parent };
      });
      const body = { ...made(written.value), reply_to_activity_uuid: parent };
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
        handler: async (request, reply) =>
          caller.as(request, async ({ sub }) => {
            const { uuid } = request.params as { uuid: string };
            const activity = pathUuid(uuid, 'activity_uuid_blank');
            const written = await writes.react(table, what, { sub, activity });
            return sendWritten(reply, written, context.live, { uuid: activity, [table]: what === 'add' });
          }),
      });
  app.get(
    '/activities/reactions',
    { schema: { tags: schemas.TAGS, summary: 'Which posts I like and have reposted', security: schemas.SIGNED_IN } },
    async (request) => caller.as(request, ({ sub }) => reads.reactions(sub)),
  );
}

function personRoutes(fastify: FastifyInstance, { reads }: Parts): void {
  const app = fastify.withTypeProvider<TypeBoxTypeProvider>();
  for (const [at, shown] of schemas.AT) {
    app.get(
      `/activities/${at}:handle`,
      {
        schema: {
          ...shown,
          tags: schemas.TAGS,
          summary: "Somebody's profile and posts",
          params: schemas.HandlePath,
          querystring: schemas.Before,
        },
      },
      async ({ params, query }) => {
        const handle = pathHandle(params.handle, 'user_not_found');
        const { profile, activities } = await reads.profile(handle, readBefore(query.before));
        return { profile, activities: activities.map((one) => activityBody(one, one)) };
      },
    );
    app.get(
      `/activities/${at}:handle/status/:uuid`,
      { schema: { ...shown, tags: schemas.TAGS, summary: 'A post and its replies', params: schemas.StatusPath } },
      async ({ params }) => {
        const uuid = pathUuid(params.uuid, 'activity_uuid_blank');
        const { activity, replies } = await reads.status(pathHandle(params.handle, 'activity_not_found'), uuid);
        return { activity: activityBody(activity, activity), replies: replies.map((one) => activityBody(one, one)) };
      },
    );
  }
}

function listRoutes(fastify: FastifyInstance, { reads, caller }: Parts): void {
  const app = fastify.withTypeProvider<TypeBoxTypeProvider>();
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
      const found = await caller.as(request, ({ sub }) => reads.notifications(sub));
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
