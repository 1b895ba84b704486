import { createHash } from 'node:crypto';
import type { Logger } from 'pino';
import { ensurePublication } from '../changes/publication.ts';
import { schemaFingerprint } from '../changes/schema.ts';
import { ProjectionRunner } from '../live/projection/runner.ts';
import { ProjectionTarget } from '../live/projection/target.ts';
import type { Log } from '../record/log.ts';
import type { PgRecord } from '../record/record.ts';
import type { Config } from './config.ts';
import { type Feeds, PUBLICATION } from './feeds.ts';
import type { ServiceDefinition } from './service.ts';

/** The target of one of a service's projections: the service's own database where one is configured, or the record's. */
export function projectionTarget(options: {
  service: ServiceDefinition;
  name: string;
  config: Config;
  recordUrl: string;
  log: Log;
}): ProjectionTarget {
  const { service, name, config, recordUrl, log } = options;
  const definition = service.projections?.[name];
  if (!definition) throw new Error(`the service ${service.name} has no projection ${name}`);
  const own = service.projectionDatabase && config.databases[service.projectionDatabase.name];
  const url = own ?? recordUrl;
  const ownLog = own === undefined;
  return new ProjectionTarget({ name: `${service.name}/${name}`, service: service.name, definition, url, ownLog, log });
}

/** What brings one of a service's projections up to the record: by a session of its own, with a durable slot (CORRECTNESS 14). */
export function projectionRunner(options: {
  service: ServiceDefinition;
  name: string;
  record: PgRecord;
  config: Config;
  feeds: Feeds;
  recordEnd(): number;
  log: Logger;
}): ProjectionRunner {
  const { service, name, record, config, feeds, recordEnd, log } = options;
  const tables = service.projections![name]!.tables.map(({ source }) => source);
  const slot = projectionSlot(service.name, name, record.url);
  return new ProjectionRunner({
    service: service.name,
    name,
    target: projectionTarget({ service, name, config, recordUrl: record.url, log }),
    record,
    slot,
    walLimitBytes: config.walLimitBytes,
    prepare: () => ensurePublication(record, PUBLICATION, tables),
    fingerprint: async () => JSON.stringify(await schemaFingerprint(record, PUBLICATION, tables)),
    open: (session) => feeds.durable({ ...session, slot }),
    openAside: (sources) => feeds.temporary('aside', sources),
    recordEnd,
    log,
  });
}

/** A durable slot's name is the projection's and the database's: slots are the server's, and it may have several databases. */
export function projectionSlot(service: string, name: string, url: string): string {
  const database = /\/([^/?]*)(?:\?|$)/.exec(url.replace(/^\w+:\/\/[^/]*/, ''))?.[1] ?? '';
  const hash = createHash('sha256').update(database).digest('hex').slice(0, 8);
  return `lockstep_${service}_${name}_${hash}`
    .toLowerCase()
    .replaceAll(/[^a-z0-9_]/g, '_')
    .slice(-63);
}

/** The slot by which one of all nodes brings the changes into the store of the views. */
export function viewsSlot(url: string): string {
  return projectionSlot('views', 'all', url);
}

/** Those of all projections. */
export function projectionSlots(services: readonly ServiceDefinition[], url: string): string[] {
  return services.flatMap((service) =>
    Object.keys(service.projections ?? {}).map((name) => projectionSlot(service.name, name, url)),
  );
}
