// The same answers by SQL for each request: Fastify and a pool. Prints `listening PORT`, ends at SIGTERM.
import type { AddressInfo } from 'node:net';
import Fastify from 'fastify';
import pg from 'pg';
import { GROUPS, HOME, POST, SEND } from './queries.ts';

const { databaseUrl, poolSize } = JSON.parse(process.env.NAIVE!) as { databaseUrl: string; poolSize: number };
const pool = new pg.Pool({ connectionString: databaseUrl, max: poolSize });
const app = Fastify();

/** The user's number stands for a token: checking one is left out, to this server's advantage. */
const prepared = (name: string, text: string, values: unknown[] = []) => pool.query({ name, text, values });

app.get('/cruddur/api/activities/home', async () => (await prepared('home', HOME)).rows);
app.get('/cruddur/api/message_groups', async ({ headers }) => {
  const { rows } = await prepared('groups', GROUPS, [headers.authorization]);
  return rows;
});
app.post<{ Body: { message: string } }>('/cruddur/api/activities', async ({ headers, body }) => {
  const { rows } = await prepared('post', POST, [headers.authorization, body.message]);
  return rows[0];
});
app.post<{ Body: { message: string; message_group_uuid: string } }>(
  '/cruddur/api/messages',
  async ({ headers, body }) => {
    const { rows } = await prepared('send', SEND, [headers.authorization, body.message_group_uuid, body.message]);
    return rows[0];
  },
);
await app.listen({ port: 0, host: '127.0.0.1' });
console.log(`listening ${(app.server.address() as AddressInfo).port}`);
process.once('SIGTERM', () => process.exit(0));
