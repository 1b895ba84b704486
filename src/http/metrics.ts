import { Counter, collectDefaultMetrics, Gauge, type Metric, Registry } from '@prometheus-io/client';
import type { FastifyInstance } from 'fastify';
import { parsePosition } from '../changes/position.ts';
import type { LiveStatus, ProjectionStatus, ViewState, ViewStatus } from '../live/live.ts';
import type { Kit } from './kit.ts';
import type { RequestHistogram } from './request-histogram.ts';

/** A number that another part of the process has to show: `waiters`. No user ids in names or labels. */
export interface GaugeSource {
  /** With its unit: `lockstep_waiters`, `lockstep_queue_bytes`. */
  readonly name: string;
  readonly help: string;
  value(): number;
}

const STATES: readonly ViewState[] = ['building', 'live', 'catching up', 'broken'];

type ViewNumber = (view: ViewStatus) => number;

const VIEW_GAUGES: Readonly<Record<string, readonly [help: string, value: ViewNumber]>> = {
  lockstep_view_position_bytes: [
    'Place in the log up to which the view has applied everything.',
    (view) => lsnOf(view.position),
  ],
  lockstep_view_lag_bytes: ['Log between its end and the position of the view.', (view) => view.lagBytes],
  lockstep_view_entries: ['Entries of the view.', (view) => view.entries],
  lockstep_view_memory_bytes: ['Memory of the view.', (view) => view.bytes],
};

type FeedNumber = (status: LiveStatus) => number;

const FEED_GAUGES: Readonly<Record<string, readonly [help: string, value: FeedNumber]>> = {
  lockstep_ready: ['Whether every view is live.', (status) => Number(status.ready)],
  lockstep_feed_following: ['Whether the change feed is connected.', (status) => Number(status.following)],
  lockstep_leading: [
    'Whether this node follows the record itself: one of all nodes does.',
    (status) => Number(status.slot !== null),
  ],
  lockstep_nodes: ['Nodes of the database that tell of themselves.', (status) => status.nodes?.length ?? 1],
  lockstep_feed_position_bytes: [
    'Place in the log up to which every view has applied everything.',
    (status) => lsnOf(status.position),
  ],
  lockstep_slot_retained_bytes: [
    'Log that the replication slot keeps back.',
    (status) => status.slot?.retainedBytes ?? 0,
  ],
};

const FEED_COUNTERS: Readonly<Record<string, readonly [help: string, value: FeedNumber]>> = {
  lockstep_feed_transactions_total: ['Transactions applied.', (status) => status.transactions],
  lockstep_feed_changes_total: ['Changed rows applied.', (status) => status.changes],
  lockstep_feed_reconnects_total: ['Times the change feed was connected again.', (status) => status.reconnects],
};

export interface MetricsOptions {
  readonly kit: Kit;
  readonly requests: RequestHistogram;
  readonly gauges: readonly GaugeSource[];
}

/** `/metrics` in Prometheus' text format. Everything but the histograms is read when it is asked for. */
export function installMetrics(app: FastifyInstance, { kit, requests, gauges }: MetricsOptions): void {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  registry.registerMetric(requests as unknown as Metric<string>);
  addFeed(registry, () => kit.live.status());
  addViews(registry, () => kit.live.status().views);
  addProjections(registry, () => kit.live.status().projections);
  for (const each of [...connectionGauges(kit), ...gauges]) addNumber(registry, each);
  app.get('/metrics', { schema: { hide: true } }, async (_request, reply) =>
    reply.header('content-type', registry.contentType).send(await registry.metrics()),
  );
}

function connectionGauges(kit: Kit): GaugeSource[] {
  return [
    { name: 'lockstep_websockets', help: 'Open WebSockets.', value: () => kit.connections.count('websocket') },
    { name: 'lockstep_event_streams', help: 'Open event streams.', value: () => kit.connections.count('sse') },
    { name: 'lockstep_topic_subscribers', help: 'Subscriptions to topics.', value: () => kit.topics.subscribers },
  ];
}

function addNumber(registry: Registry, { name, help, value }: GaugeSource): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      this.set(value());
    },
  });
}

function addFeed(registry: Registry, status: () => LiveStatus): void {
  for (const [name, [help, value]] of Object.entries(FEED_GAUGES)) {
    addNumber(registry, { name, help, value: () => value(status()) });
  }
  for (const [name, [help, value]] of Object.entries(FEED_COUNTERS)) {
    new Counter({
      name,
      help,
      registers: [registry],
      collect() {
        this.reset();
        this.inc(value(status()));
      },
    });
  }
}

function addViews(registry: Registry, views: () => readonly ViewStatus[]): void {
  for (const [name, [help, value]] of Object.entries(VIEW_GAUGES)) {
    new Gauge({
      name,
      help,
      labelNames: ['service', 'view'],
      registers: [registry],
      collect() {
        for (const view of views()) this.set({ service: view.service, view: view.name }, value(view));
      },
    });
  }
  new Gauge({
    name: 'lockstep_view_state',
    help: '1 for the state the view is in.',
    labelNames: ['service', 'view', 'state'],
    registers: [registry],
    collect() {
      for (const { service, name, state } of views()) {
        for (const each of STATES) this.set({ service, view: name, state: each }, Number(each === state));
      }
    },
  });
  new Counter({
    name: 'lockstep_view_rebuilds_total',
    help: 'Times the view was built.',
    labelNames: ['service', 'view'],
    registers: [registry],
    collect() {
      this.reset();
      for (const { service, name, rebuilds } of views()) this.inc({ service, view: name }, rebuilds);
    },
  });
}

type ProjectionNumber = (projection: ProjectionStatus) => number;

const PROJECTION_GAUGES: Readonly<Record<string, readonly [help: string, value: ProjectionNumber]>> = {
  lockstep_projection_lag_bytes: ['Log between its end and the stored position.', (each) => each.lagBytes],
  lockstep_projection_retained_bytes: ["Log that the projection's slot keeps back.", (each) => each.retainedBytes],
  lockstep_projection_dead_letters: ['Rows that could not be projected.', (each) => each.deadLetters],
  lockstep_projection_waiting: [
    'Whether its target or the record is away.',
    (each) => Number(each.state === 'waiting'),
  ],
};

function addProjections(registry: Registry, projections: () => readonly ProjectionStatus[]): void {
  for (const [name, [help, value]] of Object.entries(PROJECTION_GAUGES)) {
    new Gauge({
      name,
      help,
      labelNames: ['service', 'projection'],
      registers: [registry],
      collect() {
        for (const each of projections()) this.set({ service: each.service, projection: each.name }, value(each));
      },
    });
  }
}

function lsnOf(position: string | null): number {
  return (position && parsePosition(position)?.lsn) || 0;
}
