import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { asksForSocket, nowMicros, socketRoute } from '../../src/index.ts';
import { adminRoutes } from './admin-routes.ts';
import type { Context } from './context.ts';
import { CanvasHistory } from './history.ts';
import { MinuteImage } from './minute-image.ts';
import { V2 } from './protocol.ts';
import * as schemas from './schemas.ts';
import { Studio } from './studio.ts';
import { timeOf } from './time.ts';
import { Turns } from './turns.ts';

const TAGS = ['scribble'];
/** Bytes of a client's message: 16,000 points in one frame, and its header. */
const MAX_PAYLOAD = 65_536;
/** Pictures of the past made at once, and waiting: each reads many rows. */
const PICTURES = { atOnce: 1, waiting: 20 };

export function routes(app: FastifyInstance, context: Context): void {
  const studio = new Studio(context);
  app.addHook('onClose', async () => studio.close());
  socketRoutes(app, studio);
  imageRoute(app, context);
  pastRoutes(app, context);
  adminRoutes(app, context, studio);
}

/** The canvas over WebSocket; a plain GET is sent to the page. */
function socketRoutes(app: FastifyInstance, studio: Studio): void {
  const open = socketRoute({
    maxPayload: MAX_PAYLOAD,
    protocols: [V2],
    admit: ({ ip }, user) => studio.admit(ip, user),
    open: (socket, { query }) => {
      const { from } = query as { from?: unknown };
      return studio.enter(socket, typeof from === 'string' ? from : undefined);
    },
  });
  const handler = async (request: FastifyRequest, reply: FastifyReply) =>
    asksForSocket(request.raw) ? open(request, reply) : reply.redirect('/scribble/', 308);
  for (const path of ['', '/production']) app.get(path, { schema: { hide: true } }, handler);
}

function imageRoute(app: FastifyInstance, { views: { canvas } }: Context): void {
  const images = new MinuteImage({ view: canvas });
  app.get(
    '/image.png',
    {
      schema: {
        tags: TAGS,
        summary: 'The canvas as a 1-bit PNG, at most a minute old',
        description: 'Made every minute. Conditional requests are answered 304.',
        produces: ['image/png'],
      },
    },
    async (request, reply) => {
      const { png, etag, modifiedAt, position, source } = await images.get();
      reply
        .header('cache-control', 'public, max-age=60')
        .header('etag', etag)
        .header('lockstep-position', position)
        .header('lockstep-source', source);
      if (modifiedAt !== undefined) reply.header('last-modified', new Date(modifiedAt).toUTCString());
      return isFresh(request, etag, modifiedAt) ? reply.code(304).send() : reply.type('image/png').send(png);
    },
  );
}

/** RFC 9110, 13.2.2: If-None-Match, and only without it If-Modified-Since. */
function isFresh({ headers }: FastifyRequest, etag: string, modifiedAt = Number.POSITIVE_INFINITY): boolean {
  const known = headers['if-none-match'];
  if (known !== undefined) {
    const tags = known.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
    return tags.includes('*') || tags.includes(etag);
  }
  const since = Date.parse(headers['if-modified-since'] ?? '');
  return !Number.isNaN(since) && modifiedAt <= since;
}

function pastRoutes(fastify: FastifyInstance, { record }: Context): void {
  const app = fastify.withTypeProvider<TypeBoxTypeProvider>();
  const history = new CanvasHistory({ record });
  const turns = new Turns(PICTURES);
  app.get(
    '/history',
    {
      schema: {
        tags: TAGS,
        summary: 'The canvas at an earlier time, as a PNG in colour',
        querystring: schemas.HistoryQuery,
      },
    },
    async (request, reply) => {
      const at = timeOf('at', request.query.at);
      return sendPicture(reply, at, await turns.take(() => history.png(at)));
    },
  );
  app.get(
    '/timelapse',
    {
      schema: {
        tags: TAGS,
        summary: 'How the canvas came about, as an animated PNG',
        description: 'The pictures stand at even distances of time; the first is the canvas before the time begins.',
        querystring: schemas.TimelapseQuery,
      },
    },
    async (request, reply) => {
      const { from, to, frames = 60, frameMs = 100 } = request.query;
      const range = {
        from: from === undefined ? undefined : timeOf('from', from),
        to: to === undefined ? nowMicros() : timeOf('to', to),
      };
      return sendPicture(reply, range.to, await turns.take(() => history.timelapse({ ...range, frames, frameMs })));
    },
  );
}

/** What lies in the past stays as it is. */
function sendPicture(reply: FastifyReply, until: number, png: Buffer): FastifyReply {
  const isOver = until < nowMicros() - 10_000_000;
  return reply
    .type('image/png')
    .header('cache-control', isOver ? 'public, max-age=86400' : 'no-cache')
    .send(png);
}
