import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { sendEvents } from './sse.ts';

const Named = Type.Object({
  service: Type.String(),
  topic: Type.String(),
  key: Type.String({ description: 'What of the topic: a day, a user, whatever the service names so' }),
});

/** Every topic as server-sent events, under the name that WebSockets follow it by. */
export function installTopicStream(app: FastifyInstance): void {
  app.get<{ Params: { service: string; topic: string; key: string } }>(
    '/live/:service/:topic/:key',
    {
      schema: {
        summary: 'A topic, as server-sent events',
        description:
          'Resumes after `Last-Event-ID`. Over WebSocket at `/live`: `{"subscribe":"<service>/<topic>/<key>"}`.',
        tags: ['live'],
        params: Named,
      },
    },
    ({ params: { service, topic, key } }, reply) => sendEvents(reply, `${service}/${topic}`, key),
  );
}
