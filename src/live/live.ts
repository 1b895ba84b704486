import type { Change, Transaction } from '../changes/change.ts';
import type { RebuildReason } from '../changes/feed.ts';
import type { Position } from '../changes/position.ts';
import type { Receipt } from '../record/record.ts';
import type { Drift, ResultsOf, ViewQuery, ViewStats } from '../views/view.ts';
import type { NodeStatus } from './nodes/registry.ts';

/** An answer and what it reflects. */
export interface Answer<T> {
  readonly results: T;
  /** Everything up to here is in the answer. */
  readonly position: Position;
  /** `record`: the view could not answer (building, broken, or it no longer holds this window). */
  readonly source: 'view' | 'record';
}

export interface ReadOptions {
  /** Answer only with this position applied; waits, then falls back to the record, then fails with `PositionTimeout`. */
  readonly minPosition?: Position;
  /** `record`: not from the view, also where that could answer. */
  readonly from?: 'record';
}

export type ViewState = 'building' | 'live' | 'catching up' | 'broken';

export interface ViewStatus extends ViewStats {
  readonly service: string;
  readonly name: string;
  readonly kind: string;
  readonly state: ViewState;
  /** Null before the first build is done. */
  readonly position: string | null;
  /** Bytes of log between the record's end and the view's position. */
  readonly lagBytes: number;
  /** While building: rows read and expected. */
  readonly progress: { readonly rows: number; readonly of: number; readonly reason: RebuildReason } | null;
  readonly rebuilds: number;
  readonly fault: string | null;
}

export type ProjectionState =
  | 'starting'
  | 'following'
  /** Brings the target in line with a snapshot. */
  | 'reconciling'
  /** The target or the record is away. */
  | 'waiting'
  /** Another node follows. */
  | 'standby';

export interface ProjectionStatus {
  readonly service: string;
  readonly name: string;
  readonly kind: 'projection';
  readonly state: ProjectionState;
  /** As stored in the target; null before it is in line with the record. */
  readonly position: string | null;
  readonly lagBytes: number;
  /** WAL in bytes that its slot keeps back. */
  readonly retainedBytes: number;
  /** Written by this process since its start. */
  readonly rows: number;
  readonly deadLetters: number;
  /** Times this process has reconciled it with a snapshot. */
  readonly rebuilds: number;
  readonly progress: ViewStatus['progress'];
  readonly fault: string | null;
}

export interface VerifyReport {
  readonly view: string;
  readonly position: string;
  readonly compared: number;
  readonly drift: number;
  /** The first hundred. */
  readonly examples: readonly Drift[];
  readonly seconds: number;
  /** Why the view gives no answers all the same: a row that it cannot hold. */
  readonly fault?: string | null;
}

export type Progress = (rows: number, of: number) => void;

/** One view, as services read it. */
export interface ViewHandle<Query extends ViewQuery<unknown> = ViewQuery<unknown>> {
  readonly name: string;
  /** Goes up with each transaction that changed the view (and with each rebuild): what was computed from it stays true until then. */
  readonly version: number;
  /** All queries at one position: from the view in one turn of the event loop, otherwise from the record in one snapshot. */
  read<const Queries extends readonly Query[]>(
    queries: Queries,
    options?: ReadOptions,
  ): Promise<Answer<ResultsOf<Queries>>>;
  /**
   * The same without waiting, or undefined where the view cannot answer now, or not with that position. The hot path. Without queries:
   * where the view stands, if it can be answered from now.
   */
  readNow<const Queries extends readonly Query[]>(
    queries: Queries,
    minPosition?: Position,
  ): Answer<ResultsOf<Queries>> | undefined;
  /** Write-through: makes a view that is filled on demand hold what these queries ask for. Others hold everything. */
  hold(queries: readonly Query[]): Promise<void>;
  status(): ViewStatus;
  rebuild(progress?: Progress): Promise<void>;
  verify(progress?: Progress): Promise<VerifyReport>;
}

/** What a write's caller learns by waiting. */
export interface Applied {
  /** The write's own position, or one after it; null when the wait ran out and the record could not be asked. */
  readonly position: Position | null;
  /** False when the bounded wait ran out: the write is durable all the same. */
  readonly applied: boolean;
}

/**
 * A topic whose message is a state: a subscriber gets it whole at once, and whole again, at most once in `everyMs`, when a
 * change has touched it. Resuming needs no history. For boards, rows, counters.
 */
export interface StateTopic {
  readonly type: 'state';
  /** At most one message in this time for each key; 50 unless told. */
  readonly everyMs?: number;
  /** The keys a change touches, among those that somebody follows. `keys` holds them. */
  touchedBy(change: Change, keys: ReadonlySet<string>): Iterable<string>;
  /** The state of one key; throws `ClientError` for a key that is none. */
  read(key: string): Promise<Answer<unknown>>;
  /** Whether this user may follow it; everybody unless told. Asked again for each message. */
  authorize?(key: string, user: TopicUser | null): boolean;
}

/**
 * A topic of events: each transaction becomes one message for each key it has events for (`data` is their array), in commit
 * order, none missed, none twice. A subscriber that resumes gets what it missed, from memory, or a `resync` where that does
 * not reach back far enough, where the views were rebuilt, or where the transaction was too large to hold.
 */
export interface EventTopic {
  readonly type: 'events';
  /** A promise where a view has to be asked that cannot answer at once: what comes after it waits. */
  events(change: Change): TopicEvents | Promise<TopicEvents>;
  /** How far back subscribers may resume: bytes of messages kept for the whole topic; 8 MiB unless told. */
  readonly keepBytes?: number;
  /**
   * For what is looked at live and costs something to make: while nobody has followed the topic for a minute, nothing is made of
   * changes and nothing kept; who resumes then starts anew.
   */
  readonly whileFollowed?: boolean;
  /** Whether this user may follow it; everybody unless told. Asked again for each message. */
  authorize?(key: string, user: TopicUser | null): boolean;
}

/**
 * A topic of what is no change of the record: something measured, or looked at while it happens. Nothing is kept and nothing
 * resumed. A key costs something only while somebody follows it.
 */
export interface SignalTopic {
  readonly type: 'signals';
  /**
   * The key has its first follower: calls `send` with what there is to tell (not before it has returned), until the returned function
   * is called, after the last has left. Throws `ClientError` for a key that is none.
   */
  watch(key: string, send: (data: unknown) => void): () => void;
  /** Whether this user may follow it; everybody unless told. Asked again for each message. */
  authorize?(key: string, user: TopicUser | null): boolean;
}

export type Topic = StateTopic | EventTopic | SignalTopic;

export interface TopicEvent {
  readonly key: string;
  readonly data: unknown;
}

export type TopicEvents = Iterable<TopicEvent>;

export interface TopicUser {
  readonly sub: string;
  readonly username: string;
  readonly roles: readonly string[];
}

/** What reaches a subscriber, whatever the transport. `position` resumes. */
export interface TopicMessage {
  readonly topic: string;
  readonly event: 'state' | 'event' | 'resync' | 'signal';
  readonly position: string;
  /** Position of the topic's message before: a client that holds another one has missed something (CORRECTNESS 20). */
  readonly previous: string | null;
  readonly data: unknown;
}

/**
 * Hears what the views of the process have applied, in commit order: for a service that pushes changes in a form of its own.
 * Called synchronously, in the turn in which the views changed. After one that throws it is told to `resync`.
 */
export interface LiveListener {
  transaction(transaction: Transaction): void;
  /** What happened is not known change by change (a rebuild, a very large transaction): the views are to be read anew. */
  resync(): void;
}

/** The feed's side of a process: views kept in step, waits, topics. */
export interface Live {
  /** Applied by every view of the process. */
  readonly watermark: Position;
  /** Waits until the receipt's transaction is applied; at most `timeoutMs` (5000 unless told). */
  applied(receipt: Receipt, timeoutMs?: number): Promise<Applied>;
  /** Waits for a position a client named. Rejects with `PositionAhead`, `PositionOfAnotherEpoch`, `PositionTimeout`, `TooManyWaiters`. */
  reached(position: Position, timeoutMs?: number): Promise<void>;
  /** Waits until SQL shows everything up to a position a client named; a view may do so earlier. Rejects as `reached`. */
  shown(position: Position): Promise<void>;
  /**
   * Sends something that is no change of the record (that somebody is typing) to those who follow an event topic's key, on every node
   * where views live in a store, now or never: it is not kept, not resumed, and costs the record nothing. Its position is the watermark.
   */
  signal(topic: string, key: string, data: unknown): void;
  /** Tells `listener` of everything applied from now on, until the returned function is called. */
  follow(listener: LiveListener): () => void;
  status(): LiveStatus;
}

export interface LiveStatus {
  readonly ready: boolean;
  readonly position: string | null;
  readonly epoch: string | null;
  readonly following: boolean;
  readonly slot: { readonly name: string; readonly temporary: boolean; readonly retainedBytes: number } | null;
  readonly transactions: number;
  readonly changes: number;
  readonly reconnects: number;
  readonly views: readonly ViewStatus[];
  readonly projections: readonly ProjectionStatus[];
  /** All nodes of the database, this one among them; null where the views live in this process alone. */
  readonly nodes: readonly NodeStatus[] | null;
}
