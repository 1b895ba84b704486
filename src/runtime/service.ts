import type { Command } from 'commander';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { Source } from '../changes/feed.ts';
import type { Identity, User } from '../identity/identity.ts';
import type { Live, ProjectionStatus, Topic, ViewHandle } from '../live/live.ts';
import type { RetryReport } from '../live/projection/retry.ts';
import type { PgRecord, RecordTransaction } from '../record/record.ts';
import type { ProjectionDefinition } from '../views/projection/projection.ts';
import type { ViewDefinition } from '../views/view.ts';
import { type Config, ConfigError } from './config.ts';
import type { DatabaseSetting } from './options.ts';
import type { Timing } from './timing.ts';

type Projections = Readonly<Record<string, ProjectionDefinition>>;
type Views = Readonly<Record<string, ViewDefinition<never>>>;

/** What a service works with. Nothing else reaches the record, the views or the subscribers. */
export interface ServiceContext<V extends Views = Views> {
  readonly record: PgRecord;
  readonly views: { readonly [K in keyof V]: V[K] extends ViewDefinition<infer Query> ? ViewHandle<Query> : never };
  readonly projections: Readonly<Record<string, ProjectionHandle>>;
  readonly live: Live;
  readonly identity: Identity;
  /** What the configuration says for this service (`services.<name>`); checked by the service. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly log: Logger;
}

/** One of a service's projections, as the service uses it. */
export interface ProjectionHandle {
  status(): ProjectionStatus;
  /** The database that it writes to, with its tables. Rejects while that is away. */
  target(): Promise<PgRecord>;
  /** Tries the dead letters again. */
  retry(): Promise<RetryReport>;
}

/** A command line under `lockstep <service> ...`. */
export interface ServiceCli {
  /** A context on the record alone: the views are not built. Ended by the command line itself. */
  record(): Promise<PgRecord>;
  readonly identity: () => Promise<Identity>;
  /** One of the service's projections, by name: its target, whether or not a server runs. */
  projection(name: string): Promise<Pick<ProjectionHandle, 'target' | 'retry'>>;
  /** As in `ServiceContext`. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** The bytes of a file that the command line names, and how many; `-` is standard input. Rejects with what to do. */
  input(file: string): Promise<{ readonly chunks: AsyncIterable<Uint8Array>; readonly size?: number }>;
  /** A progress bar on a terminal, plain lines elsewhere, nothing with `--json`. */
  progress(label: string, of?: number): { update(done: number, of?: number): void; done(text?: string): void };
  /** Prints a result: as JSON with `--json`, otherwise `text`. */
  print(value: unknown, text: string): void;
}

/**
 * Work done at set times while the server lives: never two runs of one at once, also not on two nodes. What was due while no
 * server lived runs once at the next start; a run that throws is logged and tried again (a daily one after a minute).
 */
export type Schedule<V extends Views = Views> = Timing & {
  /** Unique in its service. */
  readonly name: string;
  /** `signal` is aborted when the server stops, which waits for the run. */
  run(context: ServiceContext<V>, signal: AbortSignal): Promise<void>;
};

/** A service: a folder that declares tables, commands (writes), views, routes and topics. */
export interface ServiceDefinition<V extends Views = Views> {
  /** Names its routes' prefix, its page and, with `_` for `-`, its schema: lower-case letters, digits and hyphens. */
  readonly name: string;
  /** One line on what it is. */
  readonly title: string;
  /** Folder of numbered `.sql` files. */
  readonly migrations: URL;
  readonly views: V;
  /** The same views where the configuration says something for the service. Throws for the operator when that makes no sense. */
  viewsFor?(settings: Readonly<Record<string, unknown>>): V;
  readonly projections?: Projections;
  /** The setting that names another database for its projections than the record's. */
  readonly projectionDatabase?: DatabaseSetting;
  /** Tables that its topics tell of, beside those of its views. */
  readonly followed?: readonly Source[];
  /** By name; followed as `<service>/<topic>/<key>`. */
  topics?(context: ServiceContext<V>): Readonly<Record<string, Topic>>;
  readonly schedules?: readonly Schedule<V>[];
  /** That its routes ask for, beside `admin`: `lockstep users grant` says so of one that no service declares. */
  readonly roles?: readonly string[];
  /**
   * Called in the transaction that makes an account of Lockstep's own a user, so that what the service keeps of users is there from
   * the first moment. Accounts of before the service, and an external issuer's, come without: see to them at their first call.
   */
  userConfirmed?(tx: RecordTransaction, user: User): Promise<void>;
  /** Registered under `/<name>`. */
  routes(app: FastifyInstance, context: ServiceContext<V>): void | Promise<void>;
  /** Sub-commands of `lockstep <name>`. */
  commands?(program: Command, cli: ServiceCli): void;
}

/** The schema of a service's tables. */
export function schemaOf({ name }: Pick<ServiceDefinition<never>, 'name'>): string {
  return name.replaceAll('-', '_');
}

/** A service with its views as the configuration wants them. */
export function configured(service: ServiceDefinition, { services }: Pick<Config, 'services'>): ServiceDefinition {
  const settings = services[service.name];
  return settings && service.viewsFor ? { ...service, views: service.viewsFor(settings) } : service;
}

/** The services a configuration runs. Throws for a name that none has. */
export function chosenServices<S extends Pick<ServiceDefinition, 'name'>>(
  all: readonly S[],
  { only }: Pick<Config, 'only'>,
): readonly S[] {
  const unknown = only?.find((name) => !all.some((service) => service.name === name));
  if (unknown === undefined) return only ? all.filter(({ name }) => only.includes(name)) : all;
  const names = all.map(({ name }) => name).join(', ');
  throw new ConfigError(`LOCKSTEP_ONLY names "${unknown}", which is no service here; there are ${names || 'none'}.`);
}

/** The settings that services declare, for `loadConfig`. */
export function declaredSettings(services: readonly ServiceDefinition[]): DatabaseSetting[] {
  return services.flatMap(({ projectionDatabase }) => projectionDatabase ?? []);
}

/** Declares a service. Only checks types: what it is given is what it returns. */
export function defineService<const V extends Views>(definition: ServiceDefinition<V>): ServiceDefinition<V> {
  return definition;
}
