import type { FastifyInstance } from 'fastify';
import { longBody, sendWritten } from '../../src/index.ts';
import { importHeroes } from './csv.ts';
import { bad } from './envelope.ts';
import type { Parts } from './routes.ts';
import * as schemas from './schemas.ts';

/** A file is as long as it is: it is read as it comes, and never held. In a scope of its own: no other route takes files. */
export function importRoute(app: FastifyInstance, { record, live }: Parts): void {
  app.addContentTypeParser(['text/csv', 'application/octet-stream'], (_request, payload, done) => done(null, payload));
  app.post(
    '/import',
    {
      schema: {
        tags: schemas.TAGS,
        summary: 'Load heroes from a CSV file, all of them or none',
        description:
          'The body, text/csv: id,hero,power,name,xp,color with that line first or without. Answered when it is stored.',
        response: { 200: schemas.Imported, '4xx': schemas.Problem },
      },
    },
    async (request, reply) => {
      const { body } = request as { body?: { pipe?: unknown } };
      if (typeof body?.pipe !== 'function') throw bad('send the file as the body, with Content-Type: text/csv');
      const began = performance.now();
      const written = await importHeroes({ record, chunks: longBody(request) });
      const seconds = Number(((performance.now() - began) / 1000).toFixed(3));
      return sendWritten(reply, written, live, { heroes: written.value, seconds });
    },
  );
}
