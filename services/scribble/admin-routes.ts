import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { bearerToken, ClientError, microsToIso, nowMicros, sendWritten } from '../../src/index.ts';
import type { Context } from './context.ts';
import * as schemas from './schemas.ts';
import type { Studio } from './studio.ts';
import { checkClient, plainAddress, subjectOf } from './subject.ts';
import { timeOf } from './time.ts';
import type { Admin, Ban } from './writes.ts';

const TAGS = ['scribble'];
const SIGNED_IN = [{ token: [] }];

/** What keeps the canvas in order. For users with the role `admin`. */
export function adminRoutes(fastify: FastifyInstance, { identity, live, record }: Context, studio: Studio): void {
  const app = fastify.withTypeProvider<TypeBoxTypeProvider>();
  const { writes } = studio;
  const adminOf = async (request: FastifyRequest): Promise<Admin> => {
    const { roles, username } = await identity.verify(bearerToken(request));
    if (roles.includes('admin')) return { username, address: plainAddress(request.ip) };
    throw new ClientError(403, 'Only an admin may do this.');
  };
  // Before anything is said about what was sent.
  const onRequest = async (request: FastifyRequest) => void (await adminOf(request));
  const route = { tags: TAGS, security: SIGNED_IN };

  app.post(
    '/rollback',
    {
      onRequest,
      schema: {
        ...route,
        summary: 'Take back the points of a user or an address',
        description: 'Their cells become what they were without them; what others have drawn over stays.',
        body: schemas.Rollback,
        response: { 200: schemas.RolledBack, '4xx': schemas.Problem },
      },
    },
    async (request, reply) => {
      const admin = await adminOf(request);
      const { from, to } = request.body;
      const range = { from: isoOf('from', from), to: to === undefined ? microsToIso(nowMicros()) : isoOf('to', to) };
      const subject = await subjectOf(request.body, identity);
      return sendWritten(reply, await writes.rollback(subject, range, admin), live);
    },
  );
  app.post(
    '/clear',
    {
      onRequest,
      schema: {
        ...route,
        summary: 'Clear the canvas',
        description: 'The history stays.',
        response: { 200: schemas.Cleared, '4xx': schemas.Problem },
      },
    },
    async (request, reply) => sendWritten(reply, await writes.clear(await adminOf(request)), live),
  );
  app.post(
    '/bans',
    {
      onRequest,
      schema: {
        ...route,
        summary: 'Ban a user or an address from drawing',
        body: schemas.BanRequest,
        response: { 200: schemas.Ban, '4xx': schemas.Problem },
      },
    },
    async (request, reply) => {
      const admin = await adminOf(request);
      const { reason, until } = request.body;
      const terms = { reason, ...(until === undefined ? {} : { until: isoOf('until', until) }) };
      const subject = await subjectOf(request.body, identity);
      checkClient(subject);
      const written = await writes.ban(subject, terms, admin);
      studio.dismiss(subject);
      return sendWritten(reply, written, live, banBody(written.value));
    },
  );
  app.get(
    '/bans',
    {
      onRequest,
      schema: {
        ...route,
        summary: 'The newest 1000 bans',
        response: { 200: schemas.Bans, '4xx': schemas.Problem },
      },
    },
    async () => ({ bans: (await writes.bans(1000)).map(banBody) }),
  );
  app.delete(
    '/bans/:ban_id',
    {
      onRequest,
      schema: {
        ...route,
        summary: 'Lift a ban',
        params: schemas.BanPath,
        response: { 200: schemas.Unbanned, '4xx': schemas.Problem },
      },
    },
    async (request, reply) => sendWritten(reply, await writes.unban(request.params.ban_id), live),
  );
  app.get(
    '/points',
    {
      onRequest,
      schema: {
        ...route,
        summary: 'Who drew a cell, newest first, at most 100 points',
        querystring: schemas.PointQuery,
        response: { 200: schemas.PointHistory, '4xx': schemas.Problem },
      },
    },
    async (request) => {
      const { x, y } = request.query;
      const rows = await record.query<{
        color: number | null;
        username: string | null;
        address: string;
        drawn_at: number;
      }>(
        `select color, username, address, drawn_at from scribble.points
          where index = $1 order by point_id desc limit 100`,
        [y * 1000 + x],
      );
      return { points: rows.map((row) => ({ ...row, drawn_at: microsToIso(row.drawn_at) })) };
    },
  );
}

function isoOf(name: string, text: string): string {
  return microsToIso(timeOf(name, text));
}

function banBody({ banned_at, until, ...ban }: Ban) {
  return {
    ...ban,
    banned_at: microsToIso(banned_at),
    until: until === Number.POSITIVE_INFINITY ? null : microsToIso(until),
  };
}
