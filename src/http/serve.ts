import type { AddressInfo } from 'node:net';
import type { Runtime } from '../runtime/runtime.ts';
import { startControl } from './control.ts';
import { drain } from './drain.ts';
import { createServer } from './server.ts';

/** How long requests under way may take when the server stops. */
const GRACE_MS = 10_000;

export interface Served {
  /** Where it serves. */
  readonly url: string;
  /** Unready, no new connections, requests under way answered, then the runtime's own stop. */
  stop(): Promise<void>;
}

/** Serves a runtime: HTTP, and the control socket for the command line. */
export async function serve(runtime: Runtime, options: { version: string }): Promise<Served> {
  const { config, live, topics, identity, log } = runtime;
  let url: string | null = null;
  const operated = {
    log,
    status: () => runtime.status(options.version, url),
    views: new Map(runtime.views.map((view) => [view.name, view])),
    projections: new Map(live.projections.map((projection) => [projection.name, projection])),
  };
  const app = createServer({
    config,
    live,
    topics,
    identity,
    log,
    gauges: [{ name: 'lockstep_waiters', help: 'Requests that wait for a position.', value: () => live.waiters }],
    services: runtime.services.map(({ definition, context }) => ({
      name: definition.name,
      title: definition.title,
      topics: topics.namesOf(definition.name),
      routes: (routes) => definition.routes(routes, context),
    })),
    console: { ...operated, runtime },
  });
  await listen(app, config.host, config.port);
  url = urlOf(config.host, app.server.address() as AddressInfo);
  live.url = url;
  const control = await startControl({ ...operated, dataDir: config.dataDir });
  return {
    url,
    async stop() {
      await drain(app, { graceMs: GRACE_MS });
      await control.close();
      await runtime.stop();
    },
  };
}

async function listen(app: ReturnType<typeof createServer>, host: string, port: number): Promise<void> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    await app.close();
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') {
      throw new Error(`PORT ${port} on ${host} is taken by another process; stop that one, or set PORT to a free one.`);
    }
    if (code === 'EACCES') throw new Error(`PORT ${port} needs privileges; set PORT to 1024 or above.`);
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
      throw new Error(`HOST ${host} is no address of this machine.`);
    throw error;
  }
}

function urlOf(host: string, { port, address, family }: AddressInfo): string {
  if (host === '127.0.0.1' || host === '0.0.0.0' || host === '::') return `http://localhost:${port}`;
  return family === 'IPv6' ? `http://[${address}]:${port}` : `http://${host}:${port}`;
}
