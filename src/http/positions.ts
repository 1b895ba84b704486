import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { formatPosition, type Position, parsePosition } from '../changes/position.ts';
import type { Answer, Live } from '../live/live.ts';
import { ClientError } from '../record/errors.ts';
import type { Written } from '../record/record.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Read from a view, which waits for `Lockstep-Min-Position` itself. */
    readsView?: boolean;
  }
}

export const POSITION_HEADERS = ['Lockstep-Position', 'Lockstep-Source', 'Lockstep-Applied'] as const;

/** A position a client names. Throws 400 when the text is none. */
export function positionFrom(text: string, name: string): Position {
  const position = parsePosition(text);
  if (position) return position;
  throw new ClientError(400, `${name} is no position; send one that a Lockstep-Position header gave you.`);
}

/** The position that the answer must have reached (`Lockstep-Min-Position`), if the client asks for one. Throws 400. */
export function minPosition(request: FastifyRequest): Position | undefined {
  const text = rawHeader(request, 'lockstep-min-position');
  return text === undefined ? undefined : positionFrom(text, 'Lockstep-Min-Position');
}

/**
 * A service's reads wait for `Lockstep-Min-Position` (SPEC 4): what they read from the record then shows it. Those that are read from a
 * view, which waits itself, and sooner, say `config: { readsView: true }`.
 */
export function awaitPositions(routes: FastifyInstance, live: Live): void {
  routes.addHook('onRoute', (route) => {
    if (route.config?.readsView || ![route.method].flat().includes('GET')) return;
    route.preHandler = [...[route.preHandler ?? []].flat(), waitForPosition];
  });
  function waitForPosition(request: FastifyRequest, _reply: FastifyReply, done: (error?: Error) => void): void {
    const position = minPosition(request);
    if (position) live.shown(position).then(() => done(), done);
    else done();
  }
}

/** A header, without the object of all of them that Node makes when it is first asked for (0.3 us of a hot answer). */
function rawHeader({ raw: { rawHeaders } }: FastifyRequest, name: string): string | undefined {
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i]!.length === name.length && rawHeaders[i]!.toLowerCase() === name) return rawHeaders[i + 1];
  }
  return undefined;
}

/** Says which position an answer reflects and where it comes from (SPEC 5). */
export function describeAnswer(
  reply: FastifyReply,
  answer: Pick<Answer<unknown>, 'position' | 'source'>,
): FastifyReply {
  return reply.header('lockstep-position', positionText(answer.position)).header('lockstep-source', answer.source);
}

/** Sends `body` (the answer's results unless told) with the position it reflects. */
export function sendAnswer<T>(reply: FastifyReply, answer: Answer<T>, body: unknown = answer.results): FastifyReply {
  return describeAnswer(reply, answer).send(body);
}

/**
 * Answers a write (SPEC 4): waits until the views show it, at most the configured time, and says where it is in the record.
 * `Lockstep-Wait: none` does not wait. `Lockstep-Applied: false` says that the views do not show it yet.
 */
export async function sendWritten<T>(
  reply: FastifyReply,
  written: Written<T>,
  live: Live,
  body: unknown = written.value,
): Promise<FastifyReply> {
  const applied = await live.applied(written.receipt, waitMs(reply));
  if (applied.position) reply.header('lockstep-position', positionText(applied.position));
  if (!applied.applied) reply.header('lockstep-applied', 'false');
  return reply.send(body);
}

/** How long the request lets a write wait for the views. Throws 400. */
export function waitMs(reply: FastifyReply): number {
  const wait = rawHeader(reply.request, 'lockstep-wait');
  if (wait === undefined) return reply.server.lockstep.config.waitMs;
  if (wait === 'none') return 0;
  throw new ClientError(400, 'Lockstep-Wait is not understood; send "none", or leave it out to wait for the views.');
}

let lastPosition: Position | undefined;
let lastText = '';

/** {@link formatPosition}, made once for the many answers that reflect the same position. */
export function positionText(position: Position): string {
  if (position !== lastPosition) {
    lastText = formatPosition(position);
    lastPosition = position;
  }
  return lastText;
}
