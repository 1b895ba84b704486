// The ceiling: Fastify answering constants, with nothing behind them. Prints `listening PORT`, ends at SIGTERM.
import type { AddressInfo } from 'node:net';
import Fastify from 'fastify';

const JSON_TYPE = 'application/json; charset=utf-8';

/** Bytes of each path's answer: as many as Lockstep's. */
const sizes = JSON.parse(process.env.CEILING!) as Record<string, number>;
const app = Fastify();
for (const [path, bytes] of Object.entries(sizes)) {
  const body = Buffer.alloc(bytes, ' ');
  app.get(path, (_request, reply) => reply.header('content-type', JSON_TYPE).send(body));
}
await app.listen({ port: 0, host: '127.0.0.1' });
console.log(`listening ${(app.server.address() as AddressInfo).port}`);
process.once('SIGTERM', () => process.exit(0));
