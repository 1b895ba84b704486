import type { ConsoleDetails, ConsoleStatus } from '../../../src/http/console/console.ts';

export type { Series } from '../../../src/http/console/history.ts';
export type { Measure } from '../../../src/http/console/meter.ts';
export type { RouteLoad } from '../../../src/http/console/route-loads.ts';
export type { RecentChanges } from '../../../src/http/console/topics.ts';
export type { ControlLine } from '../../../src/http/control.ts';
export type { ConsoleDetails, ConsoleStatus };
export type ViewStatus = ConsoleStatus['live']['views'][number];
export type ProjectionStatus = ConsoleStatus['live']['projections'][number];
export type NodeStatus = ConsoleStatus['nodes'][number];
