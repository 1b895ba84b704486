import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Transaction } from '../changes/change.ts';
import { SlotBusy } from '../changes/errors.ts';
import { type FeedSession, RebuildNeeded, type Source } from '../changes/feed.ts';
import { openFeed } from '../changes/open-feed.ts';
import type { Position } from '../changes/position.ts';
import { ensurePublication } from '../changes/publication.ts';
import { readEpoch } from '../changes/record-epoch.ts';
import { compareFingerprints, type SchemaFingerprint, schemaFingerprint } from '../changes/schema.ts';
import { installSchemaTriggers } from '../changes/schema-triggers.ts';
import type { SlotOptions } from '../changes/slot.ts';
import { mergeSources } from '../live/build.ts';
import { Follower } from '../live/follower.ts';
import { databaseName, savedFingerprint, saveFingerprint } from '../live/leader/row.ts';
import type { Applied, Live, LiveListener, LiveStatus } from '../live/live.ts';
import { Node } from '../live/nodes/node.ts';
import { ProjectionRunner } from '../live/projection/runner.ts';
import { currentSnapshot, openTransactions } from '../live/record-read.ts';
import { ServedView } from '../live/served-view.ts';
import type { OpenStore } from '../live/stored/store.ts';
import { StoredFollower } from '../live/stored/stored-follower.ts';
import { TopicHub } from '../live/topic-hub.ts';
import { Watermark } from '../live/watermark.ts';
import type { PgRecord, Receipt } from '../record/record.ts';
import { nowMicros } from '../record/time.ts';
import type { Config } from './config.ts';
import { projectionSlot, projectionTarget, viewsSlot } from './projections.ts';
import type { ServiceDefinition } from './service.ts';

export const PUBLICATION = 'lockstep';
/** How long the slot's holder of before may take to end. */
const FREE_MS = 5000;
/** How often a node tells the store which rows were used. */
const TEND_MS = 1000;

export interface LiveSystemOptions {
  readonly config: Config;
  readonly services: readonly ServiceDefinition[];
  readonly record: PgRecord;
  /** Where the views live; without it in this process. */
  readonly store?: OpenStore | undefined;
  readonly log: Logger;
}

/** The live stage on a record: the services' views and topics, and the follower that keeps them in step. */
export class LiveSystem implements Live {
  readonly views: readonly ServedView[];
  readonly projections: readonly ProjectionRunner[];
  readonly topics: TopicHub;
  readonly #options: LiveSystemOptions;
  readonly #watermark: Watermark;
  readonly #follower: Follower | StoredFollower;
  /** This process among the nodes; null where the views live in it alone. */
  readonly #node: Node | null;
  readonly #followed: readonly Source[];
  readonly #tables: readonly string[];
  /** Those of the projections too, which would otherwise change the publication under the stream. */
  readonly #published: readonly string[];
  #tending: NodeJS.Timeout | undefined;
  #fingerprint: SchemaFingerprint | null = null;
  /** Whether the log itself tells of DDL. */
  #triggers = false;
  /** Tables emptied by TRUNCATE since the fingerprint was taken: their files are new, and the views know. */
  readonly #truncated = new Set<string>();

  constructor(options: LiveSystemOptions) {
    const { record, services, store, log } = options;
    this.#options = options;
    const poke = () => (this.#node ?? this.#follower).poke();
    this.#watermark = new Watermark({ flushedLsn: () => record.flushedLsn(), poke });
    this.topics = new TopicHub({
      position: () => this.watermark,
      failed: (topic, error) =>
        log.error({ topic, err: error }, 'a topic failed on a change; its subscribers start anew'),
    });
    this.#node = store ? this.#nodeOn(store) : null;
    this.views = services.flatMap((service) =>
      Object.entries(service.views).map(([name, definition]) => this.#view(service, name, definition)),
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
    this.#follower = store ? this.#storedFollower(store, this.#node!) : this.#ownFollower();
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
    (this.#node ?? this.topics).signal(topic, key, data);
  }

  /** Where this process serves, for the other nodes to see. */
  set url(url: string) {
    if (this.#node) this.#node.url = url;
  }

  follow(listener: LiveListener): () => void {
    return this.topics.follow(listener);
  }

  status(): LiveStatus {
    return { ...this.#follower.status(), projections: this.projections.map((projection) => projection.status()) };
  }

  async start(): Promise<void> {
    if (this.#node) await this.#join(this.#node);
    if (this.#node) this.#tending = setInterval(() => this.#tend(), TEND_MS);
    await this.#follower.start();
    for (const projection of this.projections) projection.start();
  }

  async stop(): Promise<void> {
    clearInterval(this.#tending);
    await Promise.all([this.#follower.stop(), ...this.projections.map((projection) => projection.stop())]);
    await this.#node?.stop();
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

  #view(service: ServiceDefinition, name: string, definition: ServedView['definition']): ServedView {
    const { record, store, config } = this.#options;
    const node = this.#node;
    const path = `${service.name}/${name}`;
    return new ServedView({
      service: service.name,
      name,
      definition,
      record,
      watermark: this.#watermark,
      waitMs: config.waitMs,
      ...(store &&
        node && {
          stored: {
            reader: store.add(path, definition),
            inStep: () => node.inStep,
            fault: () => node.heartbeat?.broken[path] ?? null,
          },
        }),
      recordEnd: () => this.#follower.recordEnd,
      rebuild: (view, progress) => this.#follower.rebuild(view, progress),
      verify: (view, progress) => this.#follower.verify(view, progress),
    });
  }

  #ownFollower(): Follower {
    return new Follower({
      ...this.#following(),
      open: async (purpose) => {
        if (purpose === 'main') await this.#prepare();
        return this.#openFeed({ name: slotName(purpose), temporary: true });
      },
    });
  }

  #storedFollower(store: OpenStore, node: Node): StoredFollower {
    const { record } = this.#options;
    const slot = { name: viewsSlot(record.url), temporary: false };
    return new StoredFollower({
      ...this.#following(),
      node,
      store,
      prepare: async () => {
        await this.#prepare();
        return (await savedFingerprint(record)) === JSON.stringify(this.#fingerprint);
      },
      prepared: () => saveFingerprint(record, JSON.stringify(this.#fingerprint)),
      open: ({ anew }) => this.#openFreed(slot, anew),
      openAside: () => this.#openFeed({ name: slotName('aside'), temporary: true }),
    });
  }

  #nodeOn(store: OpenStore): Node {
    const { record, config, log } = this.#options;
    const host = hostname();
    return new Node({
      id: `${host}-${process.pid}-${randomBytes(3).toString('hex')}`,
      host,
      connection: store.connection,
      replicationUrl: record.replicationUrl,
      watermark: this.#watermark,
      timeoutMs: config.leaderTimeoutMs,
      log,
      applied: (transaction) => {
        this.#touch(transaction);
        this.topics.transaction(transaction);
      },
      resync: () => {
        for (const view of this.views) view.missed();
        this.topics.resync();
      },
      signal: (topic, key, data) => this.topics.signal(topic, key, data),
      openTransactions: () => openTransactions(record),
      facts: () => (this.#follower as StoredFollower).facts(),
      poked: () => this.#follower.poke(),
    });
  }

  /** What both ways of following need. */
  #following() {
    const { record, log } = this.#options;
    return {
      views: this.views,
      watermark: this.#watermark,
      topics: this.topics,
      log,
      lacking: (view: ServedView) => this.#lacking(view),
      checkSchema: (told: boolean) => this.#checkSchema(told),
      currentSnapshot: () => currentSnapshot(record),
      truncated: (table: string) => void this.#truncated.add(table),
      flushedLsn: () => record.flushedLsn(),
      clock: nowMicros,
    };
  }

  #tend(): void {
    for (const view of this.views) view.tend(nowMicros());
  }

  /** Hears of the others; reads can be answered from here on, be it from the record. */
  async #join(node: Node): Promise<void> {
    const { record } = this.#options;
    this.#watermark.restart({ epoch: await readEpoch(record), lsn: 0 });
    await node.start(await databaseName(record));
  }

  #touch(transaction: Transaction): void {
    const tables = new Set(transaction.changes.map((change) => change.table.name));
    for (const view of this.views) {
      if (view.definition.sources.some(({ table }) => tables.has(table))) view.applied(transaction);
    }
  }

  /** Publication and triggers in place, and what the tables look like. */
  async #prepare(): Promise<void> {
    const { record } = this.#options;
    await ensurePublication(record, PUBLICATION, await this.#existing());
    this.#triggers = await installSchemaTriggers(record);
    this.#truncated.clear();
    this.#fingerprint = await schemaFingerprint(record, PUBLICATION, this.#tables);
  }

  /** In-memory views alone use a temporary slot: gone with its connection (CORRECTNESS 14). */
  #openFeed(slot: SlotOptions, anew = false): Promise<FeedSession> {
    const { record, config, log } = this.#options;
    return openFeed({
      sqlUrl: record.url,
      replicationUrl: record.replicationUrl,
      publication: PUBLICATION,
      sources: mergeSources([
        ...this.views.filter((view) => !this.#lacking(view)).map((view) => view.definition),
        { sources: this.#followed.filter(({ table }) => this.#fingerprint?.tables[table]) },
      ]),
      slot,
      anew,
      walLimitBytes: config.walLimitBytes,
      log,
    });
  }

  /** This node leads: whoever still has the slot has lost the lead, and is ended. */
  async #openFreed(slot: SlotOptions, anew: boolean): Promise<FeedSession> {
    for (const deadline = performance.now() + FREE_MS; ; await sleep(2)) {
      try {
        return await this.#openFeed(slot, anew);
      } catch (error) {
        if (!(error instanceof SlotBusy) || performance.now() > deadline) throw error;
        if (error.pid) await this.#options.record.query('select pg_terminate_backend($1)', [error.pid]);
      }
    }
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
    if (this.#node && truncated.size > 0) await saveFingerprint(this.#options.record, JSON.stringify(now));
  }
}

let slots = 0;

/** A temporary slot's name is its session's own: unique on the server, and telling whose it is. */
function slotName(purpose: string): string {
  return `lockstep_${purpose}_${process.pid}_${randomBytes(4).toString('hex')}_${slots++}`;
}
