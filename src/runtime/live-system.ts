import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import { type FeedSession, RebuildNeeded, type Source } from '../changes/feed.ts';
import { openFeed } from '../changes/open-feed.ts';
import type { Position } from '../changes/position.ts';
import { ensurePublication } from '../changes/publication.ts';
import { compareFingerprints, type SchemaFingerprint, schemaFingerprint } from '../changes/schema.ts';
import { installSchemaTriggers } from '../changes/schema-triggers.ts';
import { mergeSources } from '../live/build.ts';
import { Follower } from '../live/follower.ts';
import type { Applied, Live, LiveListener, LiveStatus } from '../live/live.ts';
import { ProjectionRunner } from '../live/projection/runner.ts';
import { currentSnapshot } from '../live/record-read.ts';
import { ServedView } from '../live/served-view.ts';
import { TopicHub } from '../live/topic-hub.ts';
import { Watermark } from '../live/watermark.ts';
import type { PgRecord, Receipt } from '../record/record.ts';
import { nowMicros } from '../record/time.ts';
import type { Config } from './config.ts';
import { projectionSlot, projectionTarget } from './projections.ts';
import type { ServiceDefinition } from './service.ts';

export const PUBLICATION = 'lockstep';

export interface LiveSystemOptions {
  readonly config: Config;
  readonly services: readonly ServiceDefinition[];
  readonly record: PgRecord;
  readonly log: Logger;
}

/** The live stage on a record: the services' views and topics, and the follower that keeps them in step. */
export class LiveSystem implements Live {
  readonly views: readonly ServedView[];
  readonly projections: readonly ProjectionRunner[];
  readonly topics: TopicHub;
  readonly #options: LiveSystemOptions;
  readonly #watermark: Watermark;
  readonly #follower: Follower;
  readonly #followed: readonly Source[];
  readonly #tables: readonly string[];
  /** Those of the projections too, which would otherwise change the publication under the stream. */
  readonly #published: readonly string[];
  #fingerprint: SchemaFingerprint | null = null;
  /** Whether the log itself tells of DDL. */
  #triggers = false;
  /** Tables emptied by TRUNCATE since the fingerprint was taken: their files are new, and the views know. */
  readonly #truncated = new Set<string>();

  constructor(options: LiveSystemOptions) {
    const { config, record, services, log } = options;
    this.#options = options;
    this.#watermark = new Watermark({ flushedLsn: () => record.flushedLsn(), poke: () => this.#follower.poke() });
    this.topics = new TopicHub({
      position: () => this.watermark,
      failed: (topic, error) =>
        log.error({ topic, err: error }, 'a topic failed on a change; its subscribers start anew'),
    });
    this.views = services.flatMap((service) =>
      Object.entries(service.views).map(
        ([name, definition]) =>
          new ServedView({
            service: service.name,
            name,
            definition,
            record,
            watermark: this.#watermark,
            waitMs: config.waitMs,
            recordEnd: () => this.#follower.recordEnd,
            rebuild: (view, progress) => this.#follower.rebuild(view, progress),
            verify: (view, progress) => this.#follower.verify(view, progress),
          }),
      ),
    );
    this.projections = services.flatMap((service) =>
      Object.keys(service.projections ?? {}).map((name) => this.#runner(service, name)),
    );
    this.#followed = services.flatMap((service) => service.followed ?? []);
    this.#tables = mergeSources([...this.views.map((view) => view.definition), { sources: this.#followed }]).map(
      (source) => source.table,
    );
    const projected = services.flatMap((service) => Object.values(service.projections ?? {}));
    const sources = projected.flatMap(({ tables }) => tables.map(({ source }) => source));
    this.#published = [...new Set([...this.#tables, ...sources])];
    this.#follower = new Follower({
      views: this.views,
      watermark: this.#watermark,
      topics: this.topics,
      log,
      open: (purpose) => this.#open(purpose),
      lacking: (view) => this.#lacking(view),
      checkSchema: (told) => this.#checkSchema(told),
      currentSnapshot: () => currentSnapshot(record),
      truncated: (table) => this.#truncated.add(table),
      flushedLsn: () => record.flushedLsn(),
      clock: nowMicros,
    });
  }

  get watermark(): Position {
    return this.#watermark.position;
  }

  get waiters(): number {
    return this.#watermark.waiters;
  }

  /** Where the record's log ends, as far as this process knows. */
  get recordEnd(): Position {
    return { epoch: this.watermark.epoch, lsn: this.#follower.recordEnd };
  }

  /** Tables whose changes it follows. */
  get tables(): readonly string[] {
    return this.#tables;
  }

  view(name: string): ServedView {
    return this.views.find((view) => view.name === name)!;
  }

  applied(receipt: Receipt, timeoutMs = this.#options.config.waitMs): Promise<Applied> {
    return this.#watermark.applied(receipt, timeoutMs);
  }

  reached(position: Position, timeoutMs = this.#options.config.waitMs): Promise<void> {
    return this.#watermark.reached(position, timeoutMs);
  }

  signal(topic: string, key: string, data: unknown): void {
    this.topics.signal(topic, key, data);
  }

  follow(listener: LiveListener): () => void {
    return this.topics.follow(listener);
  }

  status(): LiveStatus {
    return { ...this.#follower.status(), projections: this.projections.map((projection) => projection.status()) };
  }

  async start(): Promise<void> {
    await this.#follower.start();
    for (const projection of this.projections) projection.start();
  }

  async stop(): Promise<void> {
    await Promise.all([this.#follower.stop(), ...this.projections.map((projection) => projection.stop())]);
  }

  projection(name: string): ProjectionRunner {
    return this.projections.find((projection) => projection.name === name)!;
  }

  /** A projection follows by a session of its own, with a durable slot (CORRECTNESS 14). */
  #runner(service: ServiceDefinition, name: string): ProjectionRunner {
    const { record, config, log } = this.#options;
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
      open: ({ sources, state, anew }) =>
        openFeed({
          sqlUrl: record.url,
          replicationUrl: record.replicationUrl,
          publication: PUBLICATION,
          sources,
          slot: { name: slot, temporary: false },
          ...(state && !anew && { state }),
          anew,
          walLimitBytes: config.walLimitBytes,
          log,
        }),
      openAside: (sources) =>
        openFeed({
          sqlUrl: record.url,
          replicationUrl: record.replicationUrl,
          publication: PUBLICATION,
          sources,
          slot: { name: slotName('aside'), temporary: true },
          walLimitBytes: config.walLimitBytes,
          log,
        }),
      recordEnd: () => this.#follower.recordEnd,
      log,
    });
  }

  /** Publication and triggers in place, then a new temporary slot: gone with its connection (CORRECTNESS 14). */
  async #open(purpose: 'main' | 'aside'): Promise<FeedSession> {
    const { record, config, log } = this.#options;
    if (purpose === 'main') {
      await ensurePublication(record, PUBLICATION, await this.#existing());
      this.#triggers = await installSchemaTriggers(record);
      this.#truncated.clear();
      this.#fingerprint = await schemaFingerprint(record, PUBLICATION, this.#tables);
    }
    return openFeed({
      sqlUrl: record.url,
      replicationUrl: record.replicationUrl,
      publication: PUBLICATION,
      sources: mergeSources([
        ...this.views.filter((view) => !this.#lacking(view)).map((view) => view.definition),
        { sources: this.#followed.filter(({ table }) => this.#fingerprint?.tables[table]) },
      ]),
      slot: { name: slotName(purpose), temporary: true },
      walLimitBytes: config.walLimitBytes,
      log,
    });
  }

  /** The tables that are there: a view whose table is gone is broken, and the others go on. */
  async #existing(): Promise<string[]> {
    const now = await schemaFingerprint(this.#options.record, PUBLICATION, this.#published);
    return this.#published.filter((table) => now.tables[table]);
  }

  #lacking(view: ServedView): string | null {
    for (const { table, columns = [] } of view.definition.sources) {
      const found = this.#fingerprint?.tables[table];
      if (!found) return `the view ${view.name} needs the table ${table}, which is not there`;
      const missing = columns.filter((name) => !found.columns.some((column) => column.name === name));
      if (missing.length > 0) return `the view ${view.name} needs ${table} (${missing.join(', ')}), which is not there`;
    }
    return null;
  }

  /**
   * A new file of a table is excused by a TRUNCATE only where the log would have told of DDL, and has not (`told`): a rewrite by
   * ALTER TABLE gives a new file too.
   */
  async #checkSchema(told: boolean): Promise<void> {
    const before = this.#fingerprint;
    if (!before) return;
    const truncated = new Set(this.#triggers && !told ? this.#truncated : []);
    const now = await schemaFingerprint(this.#options.record, PUBLICATION, this.#tables);
    const differences = compareFingerprints(before, now, truncated);
    if (differences.length > 0) throw new RebuildNeeded('schema changed', differences.join('; '));
    this.#fingerprint = now;
    for (const table of truncated) this.#truncated.delete(table);
  }
}

let slots = 0;

/** A temporary slot's name is its session's own: unique on the server, and telling whose it is. */
function slotName(purpose: string): string {
  return `lockstep_${purpose}_${process.pid}_${randomBytes(4).toString('hex')}_${slots++}`;
}
