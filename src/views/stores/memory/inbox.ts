import type { Change } from '../../../changes/change.ts';
import type { Row, Value } from '../../../record/value.ts';
import type { InboxAudit } from '../../inbox/audit.ts';
import type { InboxShape } from '../../inbox/inbox.ts';
import { checkQuery } from '../../inbox/limits.ts';
import type {
  ConversationsQuery,
  InboxQuery,
  Listed,
  Membership,
  MembersQuery,
  Participant,
} from '../../inbox/queries.ts';
import type { Drift, MemoryView, ViewStats } from '../../view.ts';
import { inboxAudit, inboxAudited } from './inbox-audit.ts';
import { compareInboxes, type InboxSide } from './inbox-compare.ts';
import { type Conversation, type Entry, InboxLists, NOT_HELD } from './inbox-lists.ts';
import { InboxMessages, type Thread } from './inbox-messages.ts';
import type { NodePoolOptions } from './node-pool.ts';
import { Profiles } from './profiles.ts';
import { inTurns } from './turns.ts';

/** Conversations, their members, and which messages there are: one generation, from one TRUNCATE of the messages to the next. */
interface State {
  readonly messages: InboxMessages;
  readonly lists: InboxLists;
  /** The conversation and the thread of a thread's number. */
  readonly threads: { readonly conversation: Conversation; readonly thread: Thread }[];
}

/**
 * The `inbox` kind in memory. Old rows are found by id, so no table needs REPLICA IDENTITY FULL, and every change may come twice.
 * Where a row cannot be held exactly (an id beyond 2^53, a value the log did not carry), it gives no answers: the record does.
 */
export class MemoryInbox implements MemoryView<InboxQuery> {
  readonly #shape: InboxShape;
  readonly #fanout: NodePoolOptions | undefined;
  readonly #profiles: Profiles;
  #state: State;
  /** Rows that cannot be held: `table key`. */
  readonly #aside = new Set<string>();

  constructor(options: { shape: InboxShape; fanout?: NodePoolOptions }) {
    this.#shape = options.shape;
    this.#fanout = options.fanout;
    this.#profiles = new Profiles(options.shape.profiles);
    this.#state = this.#emptyState();
  }

  load(table: string, rows: readonly Row[]): void {
    const { messages, members, profiles } = this.#shape;
    if (table === messages.table) for (const row of rows) this.#loadMessage(row);
    if (table === profiles.table) for (const row of rows) this.#profiles.put(row[profiles.id], row);
    if (table !== members.table) return;
    for (const row of rows) {
      const values = this.#membership(row);
      if (!values) throw unheld(table, row[members.id]);
      this.#state.lists.add(values);
    }
  }

  async loaded(): Promise<void> {
    await inTurns(this.#build());
  }

  apply(changes: readonly Change[]): void {
    const { messages, members, profiles } = this.#shape;
    for (const change of changes) {
      const { name } = change.table;
      if (name === messages.table) this.#applyMessage(change);
      else if (name === members.table) this.#applyMember(change);
      else if (name === profiles.table) this.#applyProfile(change);
    }
  }

  answer(query: InboxQuery): Listed[] | Membership[] | Row | null | undefined;
  answer(query: InboxQuery | InboxAudit): unknown;
  answer(query: InboxQuery | InboxAudit): unknown {
    switch (query.ask) {
      case 'profile':
      case 'members':
      case 'conversations':
        checkQuery(query);
        return this.#aside.size > 0 ? undefined : this.#asked(query);
      default:
        return inboxAudited(this.#side(), this.#profiles, query);
    }
  }

  #asked(query: InboxQuery): unknown {
    if (query.ask === 'profile') return this.#profiles.get(query.id);
    return query.ask === 'members' ? this.#members(query) : this.#conversations(query);
  }

  /** Questions that together tell all that is held, each of them asked at one instant. */
  audit(): Iterable<InboxAudit> {
    return inboxAudit(this.#side(), this.#profiles);
  }

  #members(query: MembersQuery): Membership[] | undefined {
    const entries = query.conversation === null ? [] : this.#state.lists.conversations.get(query.conversation)?.entries;
    return this.#joined(entries ?? [], (entry, profile) => ({ member: entry.member, profile, read: entry.read }));
  }

  stats(): ViewStats {
    const { messages, lists } = this.#state;
    return { entries: messages.count, bytes: messages.bytes + lists.bytes + this.#profiles.bytes };
  }

  compare(other: MemoryView<InboxQuery>): Iterable<Drift | undefined> {
    if (!(other instanceof MemoryInbox)) throw new Error('an inbox compares with an inbox only');
    return compareInboxes({ shape: this.#shape, view: () => this.#side(), record: () => other.#side() });
  }

  #side(): InboxSide {
    return { ...this.#state, profiles: this.#profiles.rows, aside: this.#aside };
  }

  #conversations({ member, limit, before }: ConversationsQuery): Listed[] | undefined {
    const found: Listed[] = [];
    for (const entry of this.#state.lists.list(member, limit, before)) {
      const { conversation, unread } = entry;
      const others = this.#joined(
        conversation.entries.filter((other) => other.member !== member),
        (other, profile): Participant => ({ member: other.member, profile }),
      );
      if (conversation.last === NOT_HELD || !others) return undefined;
      found.push({ conversation: conversation.id, last: conversation.last, unread, others });
    }
    return found;
  }

  /** Entries with their members' profiles; undefined where one of those is not known. */
  #joined<T>(entries: readonly Entry[], join: (entry: Entry, profile: Row | null) => T): T[] | undefined {
    const joined: T[] = [];
    for (const entry of entries) {
      if (entry.member === null) continue;
      const profile = this.#profiles.get(entry.member);
      if (profile === undefined) return undefined;
      joined.push(join(entry, profile));
    }
    return joined;
  }

  #loadMessage(row: Row): void {
    const { table, id: idColumn, conversation, author } = this.#shape.messages;
    const id = row[idColumn];
    if (!Number.isSafeInteger(id) || row[conversation] === undefined || row[author] === undefined)
      throw unheld(table, id);
    const its = this.#state.lists.conversation(row[conversation]);
    this.#state.messages.add(id as number, this.#threadOf(its, row[author]), { ordered: false });
    if (its.lastId !== undefined && its.lastId > (id as number)) return;
    its.lastId = id as number;
    its.last = this.#shown(row);
  }

  *#build(): Generator<void> {
    const { messages, lists } = this.#state;
    yield* messages.build();
    for (const entry of lists.entries.values()) {
      lists.enlist(entry);
      if (entry.number % 0x400 === 0) yield;
    }
  }

  #applyMessage(change: Change): void {
    const { table, id: idColumn } = this.#shape.messages;
    if (change.op === 'truncate') {
      this.#truncateMessages();
      return;
    }
    const oldId = (change.before ?? change.after)![idColumn];
    this.#aside.delete(`${table} ${oldId}`);
    if (change.op === 'delete') this.#removeMessage(oldId);
    else this.#putMessage(oldId, change.after);
  }

  /** The message that had this id is now `after`, possibly under another id. */
  #putMessage(oldId: Value, after: Row): void {
    const { table, id: idColumn } = this.#shape.messages;
    const newId = after[idColumn];
    // A change of key that comes a second time finds its row under the new one.
    const old = this.#removeMessage(oldId) ?? this.#removeMessage(newId);
    const values = filled(after, old);
    this.#aside.delete(`${table} ${newId}`);
    if (!this.#addMessage(values)) this.#aside.add(`${table} ${newId}`);
  }

  /** False where the row cannot be held. */
  #addMessage(row: Row): boolean {
    const { id: idColumn, conversation: conversationColumn, author: authorColumn } = this.#shape.messages;
    const [id, author] = [row[idColumn], row[authorColumn]];
    if (!Number.isSafeInteger(id) || row[conversationColumn] === undefined || author === undefined) return false;
    const { messages, lists } = this.#state;
    const conversation = lists.conversation(row[conversationColumn]);
    messages.add(id as number, this.#threadOf(conversation, author));
    if (conversation.lastId === undefined || (id as number) > conversation.lastId)
      lists.setLast(conversation, id as number, this.#shown(row));
    countUnread(conversation, author, id as number, 1);
    return true;
  }

  /** What is known of the message that goes; undefined where there is none. */
  #removeMessage(id: Value): Row | undefined {
    const { messages, lists, threads } = this.#state;
    const row = Number.isSafeInteger(id) ? messages.find(id as number) : -1;
    if (row < 0) return undefined;
    const shape = this.#shape.messages;
    const { conversation, thread } = threads[messages.thread(row)]!;
    const known = conversation.lastId === id && conversation.last !== NOT_HELD ? conversation.last : {};
    messages.remove(row, thread);
    countUnread(conversation, thread.author, id as number, -1);
    if (conversation.lastId === id) lists.setLast(conversation, this.#latest(conversation), NOT_HELD);
    lists.tidy(conversation, thread);
    return { ...known, [shape.id]: id, [shape.conversation]: conversation.id, [shape.author]: thread.author };
  }

  #latest({ threads }: Conversation): number | undefined {
    const lasts = threads.filter(({ count }) => count > 0).map((thread) => this.#state.messages.lastOf(thread));
    return lasts.length > 0 ? Math.max(...lasts) : undefined;
  }

  #threadOf(conversation: Conversation, author: Value): Thread {
    const thread = this.#state.lists.thread(conversation, author);
    if (thread.count === 0) this.#state.threads[thread.number] = { conversation, thread };
    return thread;
  }

  /** The columns of a last message, in their order. */
  #shown(row: Row): Row | typeof NOT_HELD {
    const { id, author, keep } = this.#shape.messages;
    const shown = { [id]: row[id], [author]: row[author] };
    for (const column of keep) {
      if (row[column] === undefined) return NOT_HELD;
      shown[column] = row[column];
    }
    return shown;
  }

  /** The members stay; what the messages took is garbage at once. */
  #truncateMessages(): void {
    const { entries } = this.#state.lists;
    this.#state = this.#emptyState();
    for (const { id, conversation, member, read } of entries.values())
      this.#state.lists.add({ id, conversation: conversation.id, member, read });
    this.#forgetAside(this.#shape.messages.table);
  }

  #applyMember(change: Change): void {
    const { table, id: idColumn } = this.#shape.members;
    const { lists } = this.#state;
    if (change.op === 'truncate') {
      for (const entry of lists.entries.values()) lists.remove(entry);
      this.#forgetAside(table);
      return;
    }
    const oldId = (change.before ?? change.after)![idColumn];
    this.#aside.delete(`${table} ${oldId}`);
    const old = lists.entries.get(oldId as number) ?? lists.entries.get(change.after?.[idColumn] as number);
    if (change.op === 'delete') {
      if (old) lists.remove(old);
    } else this.#putMember(old, change.after);
  }

  #putMember(old: Entry | undefined, after: Row): void {
    const { table, id, conversation, member, read } = this.#shape.members;
    const { lists } = this.#state;
    const known = old && { [conversation]: old.conversation.id, [member]: old.member, [read]: old.read };
    const values = this.#membership(filled(after, known));
    if (
      old &&
      values &&
      old.id === values.id &&
      old.conversation.id === values.conversation &&
      old.member === values.member
    ) {
      old.read = values.read;
      lists.recount(old);
      return;
    }
    if (old) lists.remove(old);
    this.#aside.delete(`${table} ${after[id]}`);
    if (values) lists.enlist(lists.add(values));
    else this.#aside.add(`${table} ${after[id]}`);
  }

  /** A row of the members' table; undefined where it cannot be held. */
  #membership(row: Row): { id: number; conversation: Value; member: Value; read: number | null } | undefined {
    const { id, conversation, member, read } = this.#shape.members;
    const mark = row[read];
    if (!Number.isSafeInteger(row[id]) || row[conversation] === undefined || row[member] === undefined)
      return undefined;
    if (mark !== null && !Number.isSafeInteger(mark)) return undefined;
    return { id: row[id] as number, conversation: row[conversation], member: row[member], read: mark as number | null };
  }

  #applyProfile(change: Change): void {
    const { id } = this.#shape.profiles;
    if (change.op === 'truncate') this.#profiles.clear();
    else if (change.op === 'delete') this.#profiles.delete(change.before[id]);
    else this.#profiles.put((change.before ?? change.after)[id], change.after);
  }

  #forgetAside(table: string): void {
    for (const key of this.#aside) if (key.startsWith(`${table} `)) this.#aside.delete(key);
  }

  #emptyState(): State {
    const messages = new InboxMessages({ fanout: this.#fanout });
    return { messages, lists: new InboxLists({ messages, fanout: this.#fanout }), threads: [] };
  }
}

/** One message of `author` more, or one less, for whoever has not read it. */
function countUnread({ entries }: Conversation, author: Value, id: number, difference: 1 | -1): void {
  if (author === null) return;
  for (const entry of entries)
    if (entry.member !== author && (entry.read === null || id > entry.read)) entry.unread += difference;
}

/** A row with what the log did not carry, as far as it is known. */
function filled(row: Row, known: Row | undefined): Row {
  const values: Record<string, Value> = { ...row };
  for (const column in values) if (values[column] === undefined) values[column] = known?.[column];
  return values;
}

function unheld(table: string, id: Value): Error {
  return new Error(`inbox of ${table}: memory cannot hold the row ${String(id).slice(0, 40)} exactly`);
}
