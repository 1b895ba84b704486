import type { Logger } from 'pino';
import { databaseOf } from '../changes/epoch.ts';
import { readLog } from '../changes/record-epoch.ts';
import type { IdentityServer } from '../identity/identity.ts';
import { openIdentity } from '../identity/open.ts';
import type { LiveStatus } from '../live/live.ts';
import type { ServedView } from '../live/served-view.ts';
import type { OpenStore } from '../live/stored/store.ts';
import type { TopicHub } from '../live/topic-hub.ts';
import { checkRecord } from '../record/checks.ts';
import type { EmbeddedPostgres } from '../record/embedded.ts';
import { sweepIdempotencyKeys } from '../record/idempotency.ts';
import { migrate } from '../record/migrate.ts';
import { openRecord } from '../record/open.ts';
import type { PgRecord } from '../record/record.ts';
import { standbyRisks } from '../record/standby.ts';
import { type Config, redactUrl } from './config.ts';
import { type OpenData, openData } from './data.ts';
import { identityConfig } from './identity-config.ts';
import { LeftSlot } from './left-slot.ts';
import { LiveSystem } from './live-system.ts';
import { projectionSlots, viewsSlot } from './projections.ts';
import { Scheduler, type Task } from './scheduler.ts';
import { configured, type ServiceContext, type ServiceDefinition, schemaOf } from './service.ts';

export interface RuntimeOptions {
  readonly config: Config;
  readonly services: readonly ServiceDefinition[];
  readonly log: Logger;
  /** The data directory, where the caller has begun to open it; closed with the runtime. */
  readonly data?: Promise<OpenData>;
  /** Where the views live, instead of what the configuration says; closed with the runtime. */
  readonly store?: OpenStore;
  /** Views are built and followed; a command that needs SQL alone leaves that out. */
  readonly follow?: boolean;
}

/** What `lockstep status` tells. */
export interface SystemStatus {
  readonly version: string;
  readonly pid: number;
  /** Where it serves; null when it was opened for a command alone. */
  readonly url: string | null;
  /** Seconds since its start. */
  readonly uptime: number;
  readonly record: { readonly engine: string; readonly embedded: boolean; readonly url: string };
  readonly store: string;
  readonly live: LiveStatus;
}

/** Everything but the servers: record, accounts, views, topics, and the services on them. */
export interface Runtime {
  readonly config: Config;
  readonly log: Logger;
  readonly record: PgRecord;
  /** For SQL clients; holds the password. */
  readonly databaseUrl: string;
  readonly embedded: boolean;
  readonly identity: IdentityServer;
  readonly live: LiveSystem;
  readonly views: readonly ServedView[];
  readonly topics: TopicHub;
  readonly services: readonly { readonly definition: ServiceDefinition; readonly context: ServiceContext }[];
  status(version: string, url: string | null): SystemStatus;
  /** In the order opposite to the start's; the embedded PostgreSQL last. */
  stop(): Promise<void>;
}

/**
 * Opens the record, brings its tables up to date, and follows it. Start order: data directory, PostgreSQL, checks,
 * migrations, accounts, views, services; each is stopped again when a later one fails.
 */
export async function openRuntime(options: RuntimeOptions): Promise<Runtime> {
  const opened: (() => Promise<unknown>)[] = [];
  const closeAll = async () => {
    for (const close of opened.reverse()) await close();
  };
  try {
    return await open(options, opened, closeAll);
  } catch (error) {
    await closeAll();
    throw error;
  }
}

async function open(
  { config, services: declared, log, data, store: given, follow = true }: RuntimeOptions,
  opened: (() => Promise<unknown>)[],
  stop: () => Promise<void>,
): Promise<Runtime> {
  const started = performance.now();
  const { postgres, close } = await (data ?? openData({ config, log }));
  opened.push(close);
  const services = declared.map((service) => configured(service, config));
  const record = await openCheckedRecord({ config, services, postgres, log });
  opened.push(() => record.close());
  const [server] = await record.query<{ version: string }>(SERVER_VERSION);
  const identity = await prepare(config, record, services, log);
  opened.push(() => identity.close());
  const store = given ?? (await storeOf(config, record, log));
  if (store) opened.push(() => store.close());
  if (config.valkeyUrl && !config.publicUrl) log.warn(NO_PUBLIC_URL);
  const live = new LiveSystem({ config, services, record, store, log });
  opened.push(() => live.stop());
  const contexts = services.map((definition) => {
    const context = contextOf(definition, { record, identity, live, log, config });
    if (definition.topics) live.topics.add(definition.name, definition.topics(context));
    return { definition, context };
  });
  const scheduler = new Scheduler({ record, log, tasks: contexts.flatMap(tasksOf) });
  opened.push(() => scheduler.stop());
  if (follow) {
    await live.start();
    scheduler.start();
  }
  opened.push(sweeping(record, log));
  if (follow && !store) {
    const left = new LeftSlot({ record, slot: viewsSlot(record.url), log });
    opened.push(async () => left.stop());
    await left.start();
  }
  return {
    config,
    log,
    record,
    databaseUrl: record.url,
    embedded: postgres !== null,
    identity,
    live,
    views: live.views,
    topics: live.topics,
    services: contexts,
    status: (version, url) => ({
      version,
      pid: process.pid,
      url,
      uptime: (performance.now() - started) / 1000,
      record: {
        engine: `${postgres ? 'embedded ' : ''}PostgreSQL ${server!.version}`,
        embedded: postgres !== null,
        url: redactUrl(record.url),
      },
      store: store ? `${store.description}, keys ${store.prefix}*` : 'memory',
      live: live.status(),
    }),
    stop,
  };
}

function tasksOf({ definition, context }: Runtime['services'][number]): Task[] {
  return (definition.schedules ?? []).map(({ name, run, ...timing }) => ({
    name: `${definition.name}/${name}`,
    timing,
    run: (signal) => run(context, signal),
  }));
}

async function storeOf(config: Config, record: PgRecord, log: Logger): Promise<OpenStore | undefined> {
  const { valkeyUrl: url, valkeyReplicas: replicas } = config;
  if (!url) return undefined;
  const { openStore } = await import('../views/stores/valkey/store.ts'); // A fifth of a second for the client alone.
  return openStore({ url, replicas, database: databaseOf(await readLog(record)), log });
}

const NO_PUBLIC_URL =
  'LOCKSTEP_PUBLIC_URL is not set: it is the issuer of the tokens, and those of one node are good on another only where both have the same';

/** `18.4`, without what a distribution adds. */
const SERVER_VERSION = `select split_part(current_setting('server_version'), ' ', 1) as version`;

const SWEEP_MS = 3600_000;

/** Deletes what has run out, once an hour, until the returned function is called. */
function sweeping(record: PgRecord, log: Logger): () => Promise<void> {
  const timer = setInterval(() => {
    sweepIdempotencyKeys(record).catch((error) => log.warn({ err: error }, 'idempotency keys were not swept'));
  }, SWEEP_MS);
  return async () => clearInterval(timer);
}

interface OpenRecordOptions {
  readonly config: Config;
  readonly services: readonly ServiceDefinition[];
  readonly postgres: EmbeddedPostgres | null;
  readonly log: Logger;
}

async function openCheckedRecord({ config, services, postgres, log }: OpenRecordOptions): Promise<PgRecord> {
  const url = postgres?.url ?? config.databaseUrl!;
  const record = await openRecord({
    url,
    ...(config.replicationUrl ? { replicationUrl: config.replicationUrl } : {}),
    log,
  });
  try {
    if (postgres) return record;
    const durableSlots = [...projectionSlots(services, url), ...(config.valkeyUrl ? [viewsSlot(url)] : [])];
    await checkRecord(record, durableSlots);
    for (const { found, fix } of await standbyRisks(record, durableSlots)) log.warn({ fix }, found);
    return record;
  } catch (error) {
    await record.close();
    throw error;
  }
}

/** Brings every table up to date: Lockstep's own, the accounts', each service's. */
async function prepare(
  config: Config,
  record: PgRecord,
  services: readonly ServiceDefinition[],
  log: Logger,
): Promise<IdentityServer> {
  await migrate(record, {
    name: 'lockstep',
    schema: 'lockstep',
    folder: new URL('../record/migrations/', import.meta.url),
  });
  const identity = await openIdentity({
    record,
    log,
    config: identityConfig(config),
    onConfirmed: async (tx, user) => {
      for (const service of services) await service.userConfirmed?.(tx, user);
    },
  });
  for (const service of services) {
    await migrate(record, { name: service.name, schema: schemaOf(service), folder: service.migrations });
  }
  return identity;
}

function contextOf(
  definition: ServiceDefinition,
  parts: { record: PgRecord; identity: IdentityServer; live: LiveSystem; log: Logger; config: Config },
): ServiceContext {
  const views = Object.keys(definition.views).map((name) => [name, parts.live.view(`${definition.name}/${name}`)]);
  const projections = Object.keys(definition.projections ?? {}).map((name) => [
    name,
    parts.live.projection(`${definition.name}/${name}`).handle,
  ]);
  return {
    record: parts.record,
    identity: parts.identity,
    live: parts.live,
    views: Object.fromEntries(views),
    projections: Object.fromEntries(projections),
    settings: parts.config.services[definition.name] ?? {},
    log: parts.log.child({ service: definition.name }),
  };
}
