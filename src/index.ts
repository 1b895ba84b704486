// A route schema's `summary` is a type of this package, also for who has only Lockstep's.
/// <reference types="@fastify/swagger" preserve="true" />

// The public API: what services and applications use. Nothing else of `src` is meant to be imported.
export { type Static, Type } from 'typebox';
export type { Change, Transaction } from './changes/change.ts';
export { formatPosition, type Position } from './changes/position.ts';
export { CachedAnswers } from './http/cached-answers.ts';
export { CLOSE, type ClientSocket, type SocketHandler } from './http/client-socket.ts';
export { errorMember, type Problem, problemOf } from './http/errors.ts';
export { binaryFrame, textFrames } from './http/frames.ts';
export { idempotencyKey } from './http/idempotency.ts';
export { sendJson, sendWrittenJson } from './http/json-answer.ts';
export { longBody } from './http/long-body.ts';
export { minPosition, sendAnswer, sendWritten } from './http/positions.ts';
export { limitRate, RateLimit } from './http/rate-limit.ts';
export { type SocketRoute, socketRoute } from './http/socket-route.ts';
export { asksForSocket } from './http/sockets.ts';
export { sendEvents } from './http/sse.ts';
export { bearerToken } from './http/token.ts';
export { TokenBucket } from './http/token-bucket.ts';
export type { Identity, Tokens, User } from './identity/identity.ts';
export type {
  Answer,
  EventTopic,
  Live,
  LiveListener,
  ProjectionStatus,
  SignalTopic,
  StateTopic,
  Topic,
  TopicEvent,
  TopicEvents,
  TopicUser,
  ViewHandle,
} from './live/live.ts';
export { ClientError } from './record/errors.ts';
export { idempotent } from './record/idempotency.ts';
export {
  allOf,
  anyOf,
  attributeAbsent,
  attributeExists,
  type Comparison,
  type Condition,
  compare,
  equals,
  itemAbsent,
  itemExists,
  not,
  oneOf,
} from './record/items/condition.ts';
export { Decimal, unitsOf } from './record/items/decimal.ts';
export {
  type Attribute,
  attributesToWrite,
  decodeAttributes,
  type Item,
  ItemInvalid,
  type ItemKey,
} from './record/items/item.ts';
export {
  ItemConditionFailed,
  type ItemIndex,
  type ItemPage,
  type ItemQuery,
  type ItemReads,
  type ItemStore,
  type ItemTable,
  type ItemTableDefinition,
  type ItemTransaction,
  type ItemUpdate,
  type ItemWrite,
  type ItemWrites,
  type WrittenItem,
} from './record/items/item-table.ts';
export { PgItemStore } from './record/items/pg-items.ts';
export { itemTableSql } from './record/items/pg-statements.ts';
export type {
  CoalescedRead,
  CoalescedWrite,
  PgRecord,
  RecordReader,
  RecordTransaction,
  Written,
} from './record/record.ts';
export { isDay, isoToMicros, microsToIso, nowMicros } from './record/time.ts';
export { isStorable, type Row, type Value } from './record/value.ts';
export { type Config, type ConfigFile, defineConfig, loadConfig } from './runtime/config.ts';
export { randomFrom } from './runtime/random.ts';
export {
  defineService,
  type ProjectionHandle,
  type Schedule,
  type ServiceCli,
  type ServiceContext,
  type ServiceDefinition,
} from './runtime/service.ts';
export { type BitmapOptions, bitmap } from './views/bitmap/bitmap.ts';
export type { BitmapQuery, Bits, CellChanges, Pixels } from './views/bitmap/queries.ts';
export { bits, changes, drawn, region, sequenceAt, snapshot } from './views/bitmap/queries.ts';
export { type FeedOptions, feed } from './views/feed/feed.ts';
export { type FeedEntry, newest } from './views/feed/queries.ts';
export { type InboxOptions, inbox } from './views/inbox/inbox.ts';
export {
  conversations,
  type InboxQuery,
  type Listed,
  type Membership,
  members,
  type Participant,
  profile,
} from './views/inbox/queries.ts';
export type { Key } from './views/lazy.ts';
export { type LeaderboardOptions, leaderboard } from './views/leaderboard/leaderboard.ts';
export type { RankedRow, Standing } from './views/leaderboard/queries.ts';
export { count, history, range, standing, top } from './views/leaderboard/queries.ts';
export {
  type ProjectedTable,
  type ProjectionDefinition,
  projection,
  type TargetRow,
} from './views/projection/projection.ts';
export { type RowsQuery, rows } from './views/row-cache/queries.ts';
export { type RowCacheOptions, rowCache } from './views/row-cache/row-cache.ts';
export type { Drift, MemoryView, ResultsOf, ViewDefinition, ViewQuery, ViewStats } from './views/view.ts';
