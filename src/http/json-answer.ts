import type { FastifyReply } from 'fastify';
import type { Answer } from '../live/live.ts';
import { describeAnswer, positionText } from './positions.ts';
import { observe } from './request-histogram.ts';

const JSON_TYPE = 'application/json; charset=utf-8';

/**
 * Sends an answer that is JSON text already, with the position it reflects; `length` is its length in bytes. Other headers that
 * were set on `reply` may be left out.
 *
 * It goes past Fastify's own sending, which takes 0.7 us of a request's 13; as text, which Node writes
 * together with the headers where it would write bytes apart from them (another 0.6). Where pages of other origins may
 * read answers, their headers come with Fastify's sending.
 */
export function sendJson(
  reply: FastifyReply,
  answer: Pick<Answer<unknown>, 'position' | 'source'>,
  text: string,
  length = String(Buffer.byteLength(text)),
): FastifyReply {
  if (reply.server.lockstep.config.corsOrigins.length > 0)
    return describeAnswer(reply, answer).type(JSON_TYPE).send(text);
  reply.hijack();
  reply.raw.writeHead(200, [
    'content-type',
    JSON_TYPE,
    'content-length',
    length,
    'x-content-type-options',
    'nosniff',
    'lockstep-position',
    positionText(answer.position),
    'lockstep-source',
    answer.source,
  ]);
  reply.raw.end(text);
  observe(reply.request, 200);
  return reply;
}
