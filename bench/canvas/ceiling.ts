// `node ceiling.ts`: `ws` at its best: one constant text to every client again and again, as fast as they take it. No clients draw.
import { type WebSocket, WebSocketServer } from 'ws';
import { listen } from './listen.ts';

/** Bytes that wait for a client before the next round waits too. */
const MAX_QUEUED = 2 ** 16;

const server = new WebSocketServer({ noServer: true, perMessageDeflate: false, clientTracking: false });
const clients = new Set<WebSocket>();
listen(server, (client) => {
  clients.add(client);
  client.on('close', () => clients.delete(client));
});

function round(): void {
  let free = clients.size > 0;
  for (const client of clients) if (client.bufferedAmount > MAX_QUEUED) free = false;
  if (free) for (const client of clients) client.send('{"x":123,"y":456}');
  setImmediate(round);
}
round();
