import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import {
  CachedAnswers,
  conversations,
  minPosition,
  profile,
  RateLimit,
  sendAnswer,
  sendEvents,
  sendWritten,
  sendWrittenJson,
  Type,
} from '../../src/index.ts';
import { sentBy } from './activity-routes.ts';
import { groupsBody, messageBody } from './answers.ts';
import type { Asking } from './caller.ts';
import { pathUuid, readBefore, readMessage } from './input.ts';
import { MessageWrites } from './message-writes.ts';
import type { Me } from './people.ts';
import { PAGE } from './reads.ts';
import type { Parts } from './routes.ts';
import * as schemas from './schemas.ts';
import { signalTyping } from './topics.ts';
import { personOf } from './views.ts';

const TYPING = { perSecond: 1, burst: 10 };

export function messageRoutes(app: FastifyInstance, parts: Parts): void {
  const writes = new MessageWrites(parts.context);
  groupRoutes(app, parts);
  pageRoute(app, parts);
  sendRoute(app, parts, writes);
  readRoute(app, parts, writes);
  typingRoute(app, parts);
}

function groupRoutes(app: FastifyInstance, { context, reads, caller }: Parts): void {
  const { inbox } = context.views;
  const answers = new CachedAnswers(inbox);
  const first = (request: FastifyRequest, reply: FastifyReply, me: Me, limit: number) =>
    answers.send(request, reply, {
      // Not the number: whoever comes with another one that was theirs must not be given this answer.
      key: `${me.sub} ${limit}`,
      queries: () => [conversations({ member: me.id, limit }), profile({ id: me.id })] as const,
      body: ([listed, found]) => groupsBody(listed, personOf(me, found)),
    });
  const later = async (
    request: FastifyRequest,
    reply: FastifyReply,
    page: { me: Me; limit: number; uuid: string | undefined; asking: Asking },
  ) => {
    const { me, limit, uuid, asking } = page;
    const before = uuid === undefined ? undefined : await reads.messageId(me.sub, uuid);
    const queries = [conversations({ member: me.id, limit, before }), profile({ id: me.id })] as const;
    const answer = await inbox.read(queries, { minPosition: minPosition(request), ...asking });
    const [listed, found] = answer.results;
    return sendAnswer(reply, answer, groupsBody(listed, personOf(me, found)));
  };
  app.get<schemas.PageRequest>(
    '/message_groups',
    {
      config: { readsView: true },
      schema: {
        tags: schemas.TAGS,
        summary: 'My conversations, the latest message first',
        description: 'For the next page, `before` is the `message_uuid` of the last conversation you have.',
        security: schemas.SIGNED_IN,
        querystring: schemas.Page,
      },
    },
    (request, reply) => {
      const { limit = PAGE } = request.query;
      return caller.as(request, (me, asking) => {
        const uuid = readBefore(request.query.before);
        return uuid === undefined && !asking.from
          ? first(request, reply, me, limit)
          : later(request, reply, { me, limit, uuid, asking });
      });
    },
  );
  app.get(
    '/inbox/stream',
    {
      schema: {
        tags: schemas.TAGS,
        summary: 'My messages, read marks and who is typing, as server-sent events',
        security: schemas.SIGNED_IN,
      },
    },
    async (request, reply) => sendEvents(reply, 'cruddur/inbox', await caller.sub(request)),
  );
}

function pageRoute(fastify: FastifyInstance, { reads, caller }: Parts): void {
  const app = fastify.withTypeProvider<TypeBoxTypeProvider>();
  app.get(
    '/messages/:message_group_uuid',
    {
      schema: {
        tags: schemas.TAGS,
        summary: 'The last 20 messages of a conversation, oldest first',
        description: 'For the 20 before them, `before` is the `uuid` of the first one you have.',
        security: schemas.SIGNED_IN,
        params: schemas.GroupPath,
        querystring: schemas.Before,
      },
    },
    async (request) =>
      caller.as(request, async ({ sub }) => {
        const group = pathUuid(request.params.message_group_uuid, 'message_group_uuid_blank');
        return (await reads.messages(sub, group, readBefore(request.query.before))).map(messageBody);
      }),
  );
}

function sendRoute(fastify: FastifyInstance, { context, caller }: Parts, writes: MessageWrites): void {
  const app = fastify.withTypeProvider<TypeBoxTypeProvider>();
  app.post(
    '/messages',
    {
      attachValidation: true,
      schema: { tags: schemas.TAGS, summary: 'Send a message', security: schemas.SIGNED_IN, body: schemas.NewMessage },
    },
    async (request, reply) =>
      caller.as(request, async ({ sub }) => {
        const sent = readMessage(sentBy(request));
        if ('handle' in sent)
          return sendWritten(reply, await writes.start(sub, sent.handle, sent.message), context.live);
        const written = await writes.send({ sub, ...sent });
        return sendWrittenJson(reply, written, context.live, JSON.stringify(messageBody(written.value)));
      }),
  );
}

function readRoute(fastify: FastifyInstance, { context, caller }: Parts, writes: MessageWrites): void {
  const app = fastify.withTypeProvider<TypeBoxTypeProvider>();
  app.post(
    '/messages/:message_group_uuid/read',
    {
      attachValidation: true,
      schema: {
        tags: schemas.TAGS,
        summary: 'I have read a conversation, up to a message or all of it',
        security: schemas.SIGNED_IN,
        params: schemas.GroupPath,
        body: Type.Optional(schemas.Read),
      },
    },
    async (request, reply) =>
      caller.as(request, async ({ sub }) => {
        const group = pathUuid(request.params.message_group_uuid, 'message_group_uuid_blank');
        const { message_uuid } = sentBy(request);
        const upTo = message_uuid === undefined ? null : pathUuid(message_uuid, 'message_uuid_not_found');
        const written = await writes.read({ sub, group, upTo });
        return sendWritten(reply, written, context.live, { message_group_uuid: group });
      }),
  );
}

function typingRoute(fastify: FastifyInstance, { context, caller }: Parts): void {
  const app = fastify.withTypeProvider<TypeBoxTypeProvider>();
  const limit = new RateLimit(TYPING);
  app.post(
    '/messages/:message_group_uuid/typing',
    {
      attachValidation: true,
      schema: {
        tags: schemas.TAGS,
        summary: 'I am typing: shown to the others who are there now, and kept nowhere',
        security: schemas.SIGNED_IN,
        params: schemas.GroupPath,
      },
    },
    async (request) =>
      caller.as(request, async (me, asking) => {
        const group = pathUuid(request.params.message_group_uuid, 'message_group_uuid_blank');
        // More often than a person can tell, it is only not passed on.
        const quiet = limit.take(`${me.sub} ${group}`) > 0;
        await signalTyping(context, { group, me, asking, quiet });
        return { message_group_uuid: group };
      }),
  );
}
