import type { FastifyInstance } from 'fastify';
import { ClientError, longBody, sendWritten } from '../../src/index.ts';
import { importHeroes } from './csv.ts';
import { bad } from './envelope.ts';
import type { Parts } from './routes.ts';
import * as schemas from './schemas.ts';

/** Bytes that are read before the record is asked for a connection: as many as another body may have. */
const AHEAD_BYTES = 64 * 1024;
/** Imports whose files are still being sent: each keeps a connection of the record for as long as that takes. */
const MAX_SENDING = 2;

/** A file is as long as it is: it is read as it comes, and never held. In a scope of its own: no other route takes files. */
export function importRoute(app: FastifyInstance, { record, live }: Parts): void {
  let sending = 0;
  const load = async (body: AsyncGenerator<Uint8Array>) => {
    const { chunks, whole } = await readAhead(body);
    if (whole) return importHeroes({ record, chunks });
    if (sending >= MAX_SENDING) throw new ClientError(503, BUSY, { headers: { 'retry-after': '10' } });
    sending++;
    try {
      return await importHeroes({ record, chunks });
    } finally {
      sending--;
    }
  };
  app.addContentTypeParser(['text/csv', 'application/octet-stream'], (_request, payload, done) => done(null, payload));
  app.post(
    '/import',
    {
      schema: {
        tags: schemas.TAGS,
        summary: 'Load heroes from a CSV file, all of them or none',
        description:
          'The body, text/csv: id,hero,power,name,xp,color with that line first or without. Answered when it is stored; 503 while ' +
          `${MAX_SENDING} others are being sent.`,
        response: { 200: schemas.Imported, '4xx': schemas.Problem },
      },
    },
    async (request, reply) => {
      const { body } = request as { body?: { pipe?: unknown } };
      if (typeof body?.pipe !== 'function') throw bad('send the file as the body, with Content-Type: text/csv');
      const began = performance.now();
      const file = longBody(request);
      // Nobody waits for what is not read of it.
      const written = await load(file).finally(() => void file.return(undefined));
      const seconds = Number(((performance.now() - began) / 1000).toFixed(3));
      return sendWritten(reply, written, live, { heroes: written.value, seconds });
    },
  );
}

const BUSY = `${MAX_SENDING} files are being imported, which is the most at once. Nothing is stored; send the file again in a moment.`;

interface Ahead {
  readonly chunks: AsyncIterable<Uint8Array>;
  /** The client has sent it all: storing it takes no longer than the record takes. */
  readonly whole: boolean;
}

/** The beginning of a body is there: whoever has only announced one holds nothing up. */
async function readAhead(body: AsyncGenerator<Uint8Array>): Promise<Ahead> {
  const first: Uint8Array[] = [];
  for (let bytes = 0; bytes < AHEAD_BYTES; ) {
    const next = await body.next();
    if (next.done) return { chunks: joined(first, body), whole: true };
    first.push(next.value);
    bytes += next.value.length;
  }
  return { chunks: joined(first, body), whole: false };
}

async function* joined(first: readonly Uint8Array[], rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* first;
  yield* rest;
}
