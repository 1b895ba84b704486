import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { CruddurServer } from './servers.ts';

/** Two who write to each other, and their conversation. */
export interface Pair {
  readonly from: string;
  readonly to: string;
  readonly group: string;
}

interface Pushed {
  readonly event?: string;
  readonly data?: readonly { readonly type: string; readonly message: string }[];
}

/** The sockets of those who are written to, on their own topics. */
export class Receivers {
  readonly #sockets: WebSocket[] = [];
  /** Called with the text of each message, when it has arrived. */
  onMessage: (text: string) => void = () => {};

  static async open(server: CruddurServer, pairs: readonly Pair[]): Promise<Receivers> {
    const receivers = new Receivers();
    for (const to of new Set(pairs.map((pair) => pair.to))) await receivers.#open(server, to);
    return receivers;
  }

  async #open(server: CruddurServer, user: string): Promise<void> {
    const { topic } = await server.call<{ topic: string }>('GET', '/profile', user);
    const headers = { authorization: `Bearer ${server.tokenOf(user)}` };
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}/live`, { headers });
    this.#sockets.push(socket);
    await once(socket, 'open');
    socket.send(JSON.stringify({ subscribe: topic }));
    await once(socket, 'message');
    socket.on('message', (bytes) => this.#received(JSON.parse(String(bytes)) as Pushed));
  }

  #received({ event, data }: Pushed): void {
    if (event !== 'event') return;
    for (const each of data ?? []) if (each.type === 'message') this.onMessage(each.message);
  }

  close(): void {
    for (const socket of this.#sockets) socket.terminate();
  }
}

export interface Delivery {
  readonly sent: number;
  readonly received: number;
  /** Milliseconds from sending the request to having the message on the other's socket, ascending. */
  readonly latencies: readonly number[];
}

const CONNECTIONS = 64;
const LATE_MS = 2000;

/** Sends at a steady rate, whatever the answers take, and takes the time of each until it is on the other's socket. */
export async function deliver(
  server: CruddurServer,
  receivers: Receivers,
  { pairs, perSecond, seconds }: { pairs: readonly Pair[]; perSecond: number; seconds: number },
): Promise<Delivery> {
  const sentAt = new Map<string, number>();
  const latencies: number[] = [];
  let received = 0;
  receivers.onMessage = (text) => {
    const at = sentAt.get(text);
    if (at === undefined) return;
    received++;
    sentAt.delete(text);
    if (at >= measuredFrom) latencies.push(performance.now() - at);
  };
  const sockets = await connections(server.port);
  const started = performance.now();
  const measuredFrom = started + 1000;
  let sent = 0;
  while (performance.now() < started + seconds * 1000) {
    const due = Math.floor(((performance.now() - started) * perSecond) / 1000);
    for (; sent < due; sent++) {
      const { from, group } = pairs[sent % pairs.length]!;
      const message = `steady ${started} ${sent}`;
      sentAt.set(message, performance.now());
      sockets[sent % sockets.length]!.write(request(server, from, { message, message_group_uuid: group }));
    }
    await sleep(1);
  }
  for (const end = performance.now() + LATE_MS; received < sent && performance.now() < end; ) await sleep(10);
  for (const socket of sockets) socket.destroy();
  return { sent, received, latencies: latencies.sort((a, b) => a - b) };
}

/** Their answers are of no interest: what counts arrives on the other's socket. */
async function connections(port: number): Promise<Socket[]> {
  const sockets = Array.from({ length: CONNECTIONS }, () => connect(port, '127.0.0.1').setNoDelay(true).resume());
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  return sockets;
}

function request(server: CruddurServer, user: string, body: object): string {
  const text = JSON.stringify(body);
  return (
    `POST /cruddur/api/messages HTTP/1.1\r\nhost: 127.0.0.1:${server.port}\r\nauthorization: ${server.tokenOf(user)}\r\n` +
    `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`
  );
}
