import type { Logger } from 'pino';
import type { IdentityServer } from '../identity/identity.ts';
import { retryDeadLetters } from '../live/projection/retry.ts';
import { embeddedUrl } from '../record/embedded.ts';
import { openRecord } from '../record/open.ts';
import type { PgRecord } from '../record/record.ts';
import type { Config } from '../runtime/config.ts';
import { identityConfig } from '../runtime/identity-config.ts';
import { projectionTarget } from '../runtime/projections.ts';
import type { ProjectionHandle, ServiceDefinition } from '../runtime/service.ts';
import { commandLog } from './log.ts';
import type { CommandContext } from './program.ts';
import { type RunningServer, runningServer } from './running-server.ts';

type Projection = Pick<ProjectionHandle, 'target' | 'retry'>;

interface Opened {
  readonly record: PgRecord;
  identity(): Promise<IdentityServer>;
  projection(service: string, name: string): Projection;
  close(): Promise<void>;
}

/**
 * The record, for commands that need SQL alone: that of the running server or, where none runs, opened for as long as the
 * command lasts. Nothing is opened before it is asked for.
 */
export class RecordSession implements AsyncDisposable {
  readonly #context: CommandContext;
  #opened: Promise<Opened> | undefined;

  constructor(context: CommandContext) {
    this.#context = context;
  }

  async record(): Promise<PgRecord> {
    return (await this.#open()).record;
  }

  async identity(): Promise<IdentityServer> {
    return (await this.#open()).identity();
  }

  async projection(service: string, name: string): Promise<Projection> {
    return (await this.#open()).projection(service, name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const opened = await this.#opened?.catch(() => undefined); // Whoever asked for it was told.
    await opened?.close();
  }

  #open(): Promise<Opened> {
    this.#opened ??= open(this.#context);
    return this.#opened;
  }
}

async function open({ config: load, services, out }: CommandContext): Promise<Opened> {
  const config = await load();
  const log = commandLog(config.logLevel);
  const server = await runningServer(config.dataDir, out);
  if (server) return join(config, server, services, log);
  const { openRuntime } = await import('../runtime/runtime.ts');
  const runtime = await openRuntime({ config, services, log, follow: false });
  return {
    record: runtime.record,
    identity: async () => runtime.identity,
    projection: (service, name) => runtime.live.projection(`${service}/${name}`).handle,
    close: () => runtime.stop(),
  };
}

async function join(
  config: Config,
  server: RunningServer,
  services: readonly ServiceDefinition[],
  log: Logger,
): Promise<Opened> {
  const record = await openRecord({ url: urlOf(config, server), log });
  const opened = new AsyncDisposableStack();
  opened.defer(() => record.close());
  return {
    record,
    async identity() {
      const { openIdentity } = await import('../identity/open.ts');
      const identity = await openIdentity({ record, log, config: identityConfig(config, server.status.url!) });
      opened.defer(() => identity.close());
      return identity;
    },
    projection(service, name) {
      const definition = services.find((each) => each.name === service)!;
      const target = projectionTarget({ service: definition, name, config, recordUrl: record.url, log });
      opened.defer(() => target.close());
      return { target: () => target.record(), retry: () => retryDeadLetters(target) };
    },
    close: () => opened.disposeAsync(),
  };
}

function urlOf({ dataDir, databaseUrl }: Config, { status }: RunningServer): string {
  const url = status.record.embedded ? embeddedUrl(dataDir) : databaseUrl;
  if (url !== undefined) return url;
  throw new Error(
    `the server that runs on ${dataDir} (process ${status.pid}) uses ${status.record.url}: give this command the same DATABASE_URL`,
  );
}
