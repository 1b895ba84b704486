// The ceiling: Fastify answering constants, with nothing behind them. Prints `listening PORT`, ends at SIGTERM.
import type { AddressInfo } from 'node:net';
import Fastify from 'fastify';

const JSON_TYPE = 'application/json; charset=utf-8';

/** Bytes of the answers to a write and to a read: as many as Lockstep's. */
const { writeBytes, readBytes } = JSON.parse(process.env.CEILING!) as { writeBytes: number; readBytes: number };
const app = Fastify();
const written = Buffer.alloc(writeBytes, ' ');
const read = Buffer.alloc(readBytes, ' ');
app.post('/leaderboard/users/:username', (_request, reply) => reply.header('content-type', JSON_TYPE).send(written));
app.get('/leaderboard/scores/:date', (_request, reply) => reply.header('content-type', JSON_TYPE).send(read));
await app.listen({ port: 0, host: '127.0.0.1' });
console.log(`listening ${(app.server.address() as AddressInfo).port}`);
process.once('SIGTERM', () => process.exit(0));
