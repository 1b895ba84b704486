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
  /** Once, when a client sends `text`: that connection stays open and carries nothing any more, either way. Resolves then. */
  silenceOn(text: string): Promise<void>;
  /** How many connections were cut. */
  readonly cuts: number;
}

/** A proxy in front of a database on a Unix socket, which loses connections where a test wants it to. */
export async function faultProxy(t: Pick<TestContext, 'after'>, databaseUrl: string): Promise<FaultProxy> {
  const directory = mkdtempSync(join(tmpdir(), 'lockstep-proxy-'));
  const host = decodeURIComponent(/[?&]host=([^&]*)/.exec(databaseUrl)![1]!);
  const proxy = new Passage(() => connect(join(host, SOCKET)));
  await proxy.listen(join(directory, SOCKET));
  t.after(() => {
    proxy.close();
    rmSync(directory, { recursive: true });
  });
  const url = databaseUrl.replace(/([?&]host=)[^&]*/, `$1${encodeURIComponent(directory)}`);
  return withUrl(proxy, url);
}

export interface StoreProxy extends FaultProxy {
  /** Loses every connection; new ones lead to this port from now on. */
  leadTo(port: number): void;
}

/** The same in front of a store, on the loopback address. */
export async function storeProxy(t: Pick<TestContext, 'after'>, port: number): Promise<StoreProxy> {
  let target = port;
  const proxy = new Passage(() => connect(target, '127.0.0.1'));
  const own = await proxy.listen({ port: 0, host: '127.0.0.1' });
  t.after(() => proxy.close());
  const leadTo = (port: number) => {
    target = port;
    proxy.cutAll();
  };
  return Object.assign(withUrl(proxy, `redis://127.0.0.1:${own}`), { leadTo });
}

function withUrl(proxy: Passage, url: string): FaultProxy {
  return {
    url,
    cutOn: (text, when) => proxy.faultOn(text, when),
    silenceOn: (text) => new Promise((resolve) => proxy.faultOn(text, 'silence', resolve)),
    get cuts() {
      return proxy.cuts;
    },
  };
}

type Fault = 'before' | 'after' | 'silence';

/** Passes bytes on, both ways. */
class Passage {
  readonly #upstream: () => Socket;
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((client) => this.#carry(client));
  #fault: { text: string; what: Fault; happened: () => void } | undefined;
  cuts = 0;

  constructor(upstream: () => Socket) {
    this.#upstream = upstream;
  }

  /** Returns the port, where it listens on one. */
  async listen(where: string | { port: number; host: string }): Promise<number | undefined> {
    await new Promise<void>((resolve) => this.#server.listen(where, resolve));
    const address = this.#server.address();
    return typeof address === 'object' ? address?.port : undefined;
  }

  faultOn(text: string, what: Fault, happened = () => {}): void {
    this.#fault = { text, what, happened };
  }

  cutAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  close(): void {
    this.cutAll();
    this.#server.close();
  }

  #carry(client: Socket): void {
    const upstream = this.#upstream();
    for (const socket of [client, upstream]) {
      this.#sockets.add(socket.on('error', () => {}));
      socket.once('close', () => this.#sockets.delete(socket));
    }
    const cut = () => {
      this.cuts++;
      client.destroy();
      upstream.destroy();
    };
    let silent = false;
    const silence = () => {
      silent = true;
      upstream.removeAllListeners('data').resume();
    };
    client.on('data', (bytes) => {
      const fault = this.#fault !== undefined && bytes.includes(this.#fault.text) ? this.#fault : undefined;
      if (fault) this.#fault = undefined;
      fault?.happened();
      if (fault?.what === 'before') return cut();
      if (fault?.what === 'silence') silence();
      else if (fault) upstream.removeAllListeners('data').once('data', cut);
      if (!silent) upstream.write(bytes);
    });
    upstream.on('data', (bytes) => client.write(bytes));
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
  }
}
