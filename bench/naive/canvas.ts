// `node canvas.ts`: the canvas as tutorials have it: each point is one INSERT, then one loop that sends it to all.
import pg from 'pg';
import { type WebSocket, WebSocketServer } from 'ws';
import { listen } from '../canvas/listen.ts';

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 24 });
await pool.query('drop table if exists points');
await pool.query(
  'create table points (id bigint generated always as identity primary key, x integer, y integer, drawn_at timestamptz default now())',
);
const server = new WebSocketServer({ noServer: true, perMessageDeflate: false, clientTracking: false });
const clients = new Set<WebSocket>();
listen(server, (client) => {
  clients.add(client);
  client.on('close', () => clients.delete(client));
  client.on('message', async (data) => {
    const { x, y } = (JSON.parse(String(data)) as { message: { x: number; y: number } }).message;
    await pool.query({ name: 'insert', text: 'insert into points (x, y) values ($1, $2)', values: [x, y] });
    const text = JSON.stringify({ x, y });
    for (const each of clients) each.send(text);
  });
});
