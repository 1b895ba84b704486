import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { Logger } from 'pino';
import type { Transaction } from '../changes/change.ts';
import type { Source } from '../changes/feed.ts';
import type { Position } from '../changes/position.ts';
import { readEpoch } from '../changes/record-epoch.ts';
import { mergeSources } from '../live/build.ts';
import type { Work } from '../live/bus/message.ts';
import { Follower } from '../live/follower.ts';
import type { Applied, Live, LiveListener, LiveStatus, Progress, VerifyReport } from '../live/live.ts';
import { Node } from '../live/nodes/node.ts';
import type { ProjectionRunner } from '../live/projection/runner.ts';
import { currentSnapshot, openTransactions, untilShown } from '../live/record-read.ts';
import { ServedView } from '../live/served-view.ts';
import type { OpenStore } from '../live/stored/store.ts';
import { StoredFollower } from '../live/stored/stored-follower.ts';
import { TopicHub } from '../live/topic-hub.ts';
import { Watermark } from '../live/watermark.ts';
import { ClientError } from '../record/errors.ts';
import type { PgRecord, Receipt } from '../record/record.ts';
import { nowMicros } from '../record/time.ts';
import type { Config } from './config.ts';
import { Feeds, PUBLICATION } from './feeds.ts';
import { FollowedSchema } from './followed-schema.ts';
import { projectionRunner, viewsSlot } from './projections.ts';
import type { ServiceDefinition } from './service.ts';

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
  readonly #schema: FollowedSchema;
  readonly #feeds: Feeds;
  /** Tables whose changes it follows. */
  readonly tables: readonly string[];
  #tending: NodeJS.Timeout | undefined;
  constructor(options: LiveSystemOptions) {
    const { record, services, store, log } = options;
    this.#options = options;
    this.#feeds = new Feeds(options);
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
      Object.keys(service.projections ?? {}).map((name) => this.#projection(service, name)),
    );
    this.#followed = services.flatMap((service) => service.followed ?? []);
    this.tables = mergeSources([...this.views.map((view) => view.definition), { sources: this.#followed }]).map(
      (source) => source.table,
    );
    const projected = services.flatMap((service) => Object.values(service.projections ?? {}));
    const sources = projected.flatMap(({ tables }) => tables.map(({ source }) => source));
    this.#schema = new FollowedSchema({
      record,
      publication: PUBLICATION,
      tables: this.tables,
      published: [...new Set([...this.tables, ...sources])],
      kept: store !== undefined,
    });
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

  view(name: string): ServedView {
    return this.views.find((view) => view.name === name)!;
  }

  applied(receipt: Receipt, timeoutMs = this.#options.config.waitMs): Promise<Applied> {
    return this.#watermark.applied(receipt, timeoutMs);
  }

  reached(position: Position, timeoutMs = this.#options.config.waitMs): Promise<void> {
    return this.#watermark.reached(position, timeoutMs);
  }

  shown(position: Position): Promise<void> {
    return untilShown({ record: this.#options.record, watermark: this.#watermark }, position);
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

  #projection(service: ServiceDefinition, name: string): ProjectionRunner {
    const { record, config, log } = this.#options;
    const recordEnd = () => this.#follower.recordEnd;
    return projectionRunner({ service, name, record, config, feeds: this.#feeds, recordEnd, log });
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
      openTransactions: () => openTransactions(this.#options.record),
      open: async (purpose) => {
        if (purpose === 'main') await this.#schema.prepare();
        return this.#feeds.temporary(purpose, this.#sources());
      },
    });
  }

  #storedFollower(store: OpenStore, node: Node): StoredFollower {
    const schema = this.#schema;
    const slot = viewsSlot(this.#options.record.url);
    return new StoredFollower({
      ...this.#following(),
      node,
      store,
      prepare: async () => {
        await schema.prepare();
        return schema.isAsKept();
      },
      prepared: () => schema.keep(),
      open: (how) => this.#feeds.taken({ sources: this.#sources(), slot, ...how }),
      openAside: () => this.#feeds.temporary('aside', this.#sources()),
    });
  }

  #nodeOn(store: OpenStore): Node {
    const { record, config, log } = this.#options;
    const host = hostname();
    return new Node({
      id: `${host}-${process.pid}-${randomBytes(3).toString('hex')}`,
      host,
      connection: store.connection,
      prefix: store.prefix,
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
      carryOut: (view, work, progress) => this.#carryOut(view, work, progress),
    });
  }

  /** What another node was asked for, and passes on to the one that leads. */
  async #carryOut(name: string, work: Work, progress: Progress): Promise<VerifyReport | null> {
    const view = this.views.find((view) => view.name === name);
    if (!view) throw new ClientError(404, `The node that follows the record has no view ${name}.`);
    if (work === 'verify') return view.verify(progress);
    await view.rebuild(progress);
    return null;
  }

  /** What both ways of following need. */
  #following() {
    const { record, log } = this.#options;
    return {
      views: this.views,
      watermark: this.#watermark,
      topics: this.topics,
      log,
      lacking: (view: ServedView) => this.#schema.lacking(view),
      checkSchema: (told: boolean) => this.#schema.check(told),
      currentSnapshot: () => currentSnapshot(record),
      truncated: (table: string) => this.#schema.truncated(table),
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
    await node.start();
  }

  #touch(transaction: Transaction): void {
    const tables = new Set(transaction.changes.map((change) => change.table.name));
    for (const view of this.views) {
      if (view.definition.sources.some(({ table }) => tables.has(table))) view.applied(transaction);
    }
  }

  /** Tables and columns that views and topics follow and that are there. */
  #sources(): Source[] {
    return mergeSources([
      ...this.views.filter((view) => !this.#schema.lacking(view)).map((view) => view.definition),
      { sources: this.#followed.filter(({ table }) => this.#schema.has(table)) },
    ]);
  }
}
