import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { startControl } from '../http/control.ts';
import { drain } from '../http/drain.ts';
import { createServer } from '../http/server.ts';
import type { LiveStatus } from '../live/live.ts';
import type { Config } from '../runtime/config.ts';
import { openRuntime, type Runtime } from '../runtime/runtime.ts';
import type { ServiceDefinition } from '../runtime/service.ts';
import { version } from './version.ts';

/** Milliseconds that requests under way have left when the server stops. */
const GRACE_MS = 10_000;

export interface SystemOptions {
  readonly config: Config;
  readonly services: readonly ServiceDefinition[];
  readonly log: Logger;
  /** Whether clients are served; the control socket is there in any case. */
  readonly listen: boolean;
}

/** Everything a process of Lockstep runs. */
export interface System {
  /** Where clients are served, or null. */
  readonly url: string | null;
  readonly embedded: boolean;
  live(): LiveStatus;
  /** Clients first, the embedded PostgreSQL last. */
  stop(): Promise<void>;
}

/** Opens the runtime, then the servers on it. Reads are answered when it returns, from the record where views are being built. */
export async function openSystem(options: SystemOptions): Promise<System> {
  const runtime = await openRuntime(options);
  const closing: (() => Promise<void>)[] = [() => runtime.stop()];
  const stop = async () => {
    for (const close of closing.splice(0).reverse()) await close();
  };
  try {
    const url = options.listen ? await serve(runtime, closing) : null;
    const control = await startControl({
      dataDir: options.config.dataDir,
      log: options.log,
      status: () => runtime.status(version, url),
      views: new Map(runtime.views.map((view) => [view.name, view])),
    });
    closing.push(() => control.close());
    return { url, embedded: runtime.embedded, live: () => runtime.live.status(), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function serve(runtime: Runtime, closing: (() => Promise<void>)[]): Promise<string> {
  const { config, live, topics, identity, log } = runtime;
  const services = runtime.services.map(({ definition, context }) => ({
    name: definition.name,
    title: definition.title,
    routes: (app: FastifyInstance) => definition.routes(app, context),
  }));
  const app = createServer({ config, live, topics, identity, log, services });
  closing.push(() => drain(app, { graceMs: GRACE_MS }));
  await listen(app, config);
  const { port } = app.server.address() as AddressInfo;
  return urlFor(config.host, port);
}

async function listen(app: FastifyInstance, { host, port }: Config): Promise<void> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') {
      throw new Error(
        `Port ${port} of ${host} is taken by another program: end that one, or set PORT to a free one (0 picks one).`,
      );
    }
    if (code === 'EACCES')
      throw new Error(`Port ${port} needs more rights than this user has: set PORT to one from 1024 on.`);
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
      throw new Error(
        `HOST is ${host}, which is no address of this machine: set it to 127.0.0.1, 0.0.0.0 or one of its own.`,
      );
    }
    throw error;
  }
}

/** As a browser on this machine reaches it. */
export function urlFor(host: string, port: number): string {
  const local = ['127.0.0.1', '0.0.0.0', '::1', '::', 'localhost'].includes(host);
  const name = local ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${port}`;
}
