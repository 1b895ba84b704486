// The public API: what services and applications use. Nothing else of `src` is meant to be imported.
export { type Static, Type } from 'typebox';
export type { Change, Transaction } from './changes/change.ts';
export { formatPosition, type Position } from './changes/position.ts';
export { CachedAnswers } from './http/cached-answers.ts';
export { idempotencyKey } from './http/idempotency.ts';
export { sendJson } from './http/json-answer.ts';
export { minPosition, sendAnswer, sendWritten } from './http/positions.ts';
export { sendEvents } from './http/sse.ts';
export { bearerToken } from './http/token.ts';
export type { Identity, Tokens, User } from './identity/identity.ts';
export type { Answer, EventTopic, Live, StateTopic, Topic, TopicUser, ViewHandle } from './live/live.ts';
export { ClientError } from './record/errors.ts';
export { idempotent } from './record/idempotency.ts';
export type {
  CoalescedRead,
  CoalescedWrite,
  PgRecord,
  RecordReader,
  RecordTransaction,
  Written,
} from './record/record.ts';
export { isoToMicros, microsToIso, nowMicros } from './record/time.ts';
export type { Row, Value } from './record/value.ts';
export { type Config, type ConfigFile, defineConfig, loadConfig } from './runtime/config.ts';
export { defineService, type ServiceCli, type ServiceContext, type ServiceDefinition } from './runtime/service.ts';
export type { Key } from './views/lazy.ts';
export { leaderboard } from './views/leaderboard/leaderboard.ts';
export type { RankedRow, Standing } from './views/leaderboard/queries.ts';
export { count, history, range, standing, top } from './views/leaderboard/queries.ts';
export { type RowsQuery, rows } from './views/row-cache/queries.ts';
export { type RowCacheOptions, rowCache } from './views/row-cache/row-cache.ts';
export type { Drift, MemoryView, ViewDefinition, ViewQuery, ViewStats } from './views/view.ts';
