import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { bearerToken, ClientError, microsToIso, nowMicros, sendWritten } from '../../src/index.ts';
import type { Context } from './context.ts';
import * as schemas from './schemas.ts';
import type { Studio } from './studio.ts';
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
    if (roles.includes('admin')) return { username, address: request.ip };
    throw new ClientError(403, 'Only an admin may do this.');
  };
  const route = { tags: TAGS, security: SIGNED_IN };

  app.post(
    '/rollback',
    {
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
      return sendWritten(reply, await writes.rollback(request.body, range, admin), live);
    },
  );
  app.post(
    '/clear',
    {
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
      const written = await writes.ban(request.body, terms, admin);
      studio.dismiss(request.body);
      return sendWritten(reply, written, live, banBody(written.value));
    },
  );
  app.get(
    '/bans',
    {
      schema: {
        ...route,
        summary: 'The newest 1000 bans',
        response: { 200: schemas.Bans, '4xx': schemas.Problem },
      },
    },
    async (request) => {
      await adminOf(request);
      return { bans: (await writes.bans(1000)).map(banBody) };
    },
  );
  app.delete(
    '/bans/:ban_id',
    {
      schema: {
        ...route,
        summary: 'Lift a ban',
        params: schemas.BanPath,
        response: { 200: schemas.Unbanned, '4xx': schemas.Problem },
      },
    },
    async (request, reply) => {
      await adminOf(request);
      return sendWritten(reply, await writes.unban(request.params.ban_id), live);
    },
  );
  app.get(
    '/points',
    {
      schema: {
        ...route,
        summary: 'Who drew a cell, newest first, at most 100 points',
        querystring: schemas.PointQuery,
        response: { 200: schemas.PointHistory, '4xx': schemas.Problem },
      },
    },
    async (request) => {
      await adminOf(request);
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
