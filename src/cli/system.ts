import type { Logger } from 'pino';
import { startControl } from '../http/control.ts';
import { serve } from '../http/serve.ts';
import type { LiveStatus } from '../live/live.ts';
import type { Config } from '../runtime/config.ts';
import type { OpenData } from '../runtime/data.ts';
import { openRuntime, type Runtime } from '../runtime/runtime.ts';
import type { ServiceDefinition } from '../runtime/service.ts';
import { version } from './version.ts';

export interface SystemOptions {
  readonly config: Config;
  readonly services: readonly ServiceDefinition[];
  readonly log: Logger;
  /** Whether clients are served; the control socket is there in any case. */
  readonly listen: boolean;
  /** The data directory, where it is being opened already. */
  readonly data?: Promise<OpenData>;
}

/** Everything a process of Lockstep runs. */
export interface System {
  /** Where clients are served, or null. */
  readonly url: string | null;
  live(): LiveStatus;
  /** Clients first, the embedded PostgreSQL last. */
  stop(): Promise<void>;
}

/** Opens the runtime and what listens on it. Reads are answered when it returns, from the record where views are being built. */
export async function openSystem(options: SystemOptions): Promise<System> {
  const runtime = await openRuntime(options);
  try {
    const { url, stop } = options.listen ? await serve(runtime, { version }) : await controlAlone(runtime);
    return { url, stop, live: () => runtime.live.status() };
  } catch (error) {
    await runtime.stop();
    throw error;
  }
}

async function controlAlone(runtime: Runtime): Promise<Pick<System, 'url' | 'stop'>> {
  const { config, log, views, live } = runtime;
  const control = await startControl({
    dataDir: config.dataDir,
    log,
    status: () => runtime.status(version, null),
    views: new Map(views.map((view) => [view.name, view])),
    projections: new Map(live.projections.map((projection) => [projection.name, projection])),
  });
  return { url: null, stop: () => control.close().then(() => runtime.stop()) };
}
