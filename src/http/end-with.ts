import type { Socket } from 'node:net';
import { Readable } from 'node:stream';

/**
 * Closes what is read for an answer when its connection ends. Node tells the answer of that, but not one that waits for its turn
 * behind others where the connection was ended by a request for another protocol (CONNECT, an upgrade): its file stayed open.
 */
export function endWith(socket: Socket, payload: unknown): void {
  if (!(payload instanceof Readable)) return;
  const end = () => void payload.destroy();
  if (socket.destroyed) end();
  else socket.once('close', end);
  payload.once('close', () => socket.off('close', end));
}
