import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

const SOCKET = '.s.PGSQL.5432';

export interface FaultProxy {
  /** The database's URL, through the proxy. */
  readonly url: string;
  /**
   * Once, when a client sends `text`: `before` cuts the connection without passing it on, `after` passes it on, waits for the
   * server's answer, and cuts instead of passing that back.
   */
  cutOn(text: string, when: 'before' | 'after'): void;
  /** How many connections were cut. */
  readonly cuts: number;
}

/** A proxy in front of a database on a Unix socket, which loses connections where a test wants it to. */
export async function faultProxy(t: Pick<TestContext, 'after'>, databaseUrl: string): Promise<FaultProxy> {
  const directory = mkdtempSync(join(tmpdir(), 'lockstep-proxy-'));
  const host = decodeURIComponent(/[?&]host=([^&]*)/.exec(databaseUrl)![1]!);
  const sockets = new Set<Socket>();
  let fault: { text: string; when: 'before' | 'after' } | undefined;
  let cuts = 0;
  const server = createServer((client) => {
    const upstream = connect(join(host, SOCKET));
    for (const socket of [client, upstream]) sockets.add(socket.on('error', () => {}));
    const cut = () => {
      cuts++;
      client.destroy();
      upstream.destroy();
    };
    client.on('data', (bytes) => {
      const hit = fault !== undefined && bytes.includes(fault.text) ? fault : undefined;
      if (hit) fault = undefined;
      if (hit?.when === 'before') return cut();
      if (hit) upstream.removeAllListeners('data').once('data', cut);
      upstream.write(bytes);
    });
    upstream.on('data', (bytes) => client.write(bytes));
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(join(directory, SOCKET), resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
    rmSync(directory, { recursive: true });
  });
  return {
    url: databaseUrl.replace(/([?&]host=)[^&]*/, `$1${encodeURIComponent(directory)}`),
    cutOn(text, when) {
      fault = { text, when };
    },
    get cuts() {
      return cuts;
    },
  };
}
