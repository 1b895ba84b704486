import type { Row, Value } from '../../../record/value.ts';
import type { InboxMessages, Thread } from './inbox-messages.ts';
import { NodePool, type NodePoolOptions } from './node-pool.ts';
import type { RowOrder } from './node-tree.ts';
import { OrderedRows } from './ordered-rows.ts';

/** What is shown of a last message where its columns are not held: its like was deleted, or the log did not carry it. */
export const NOT_HELD = Symbol('not held');

export interface Conversation {
  readonly id: Value;
  /** One for each author. */
  readonly threads: Thread[];
  /** In the order of the membership rows' ids. */
  readonly entries: Entry[];
  /** The id of the last message; undefined where there is none. */
  lastId: number | undefined;
  last: Row | typeof NOT_HELD;
}

/** A membership row: one member's view of one conversation. */
export interface Entry {
  readonly id: number;
  /** Its number in the lists' tree. */
  readonly number: number;
  readonly conversation: Conversation;
  readonly member: Value;
  readonly list: number;
  read: number | null;
  unread: number;
}

/** The conversations, and each member's list of them, the latest message first. */
export class InboxLists {
  readonly conversations = new Map<Value, Conversation>();
  readonly entries = new Map<number, Entry>();
  readonly #messages: InboxMessages;
  readonly #pool: NodePool;
  readonly #tree: OrderedRows;
  /** By its number; undefined where the number is free. */
  readonly #byNumber: (Entry | undefined)[] = [undefined];
  #free: number[] = [];
  /** A member's list, and how many entries hold it. */
  readonly #lists = new Map<Value, { readonly number: number; entries: number }>();
  #freeLists: number[] = [];
  #listsMade = 0;
  /** Number 0 stands for a place in a list. */
  #probe = { list: 0, lastId: 0 };

  constructor(options: { messages: InboxMessages; fanout?: NodePoolOptions | undefined }) {
    this.#messages = options.messages;
    this.#pool = new NodePool(options.fanout);
    const order: RowOrder = {
      key: (row) => (row === 0 ? this.#probe.list : this.#byNumber[row]!.list),
      second: (row) => -this.#lastId(row),
      compare: (a, b) => this.#lastId(b) - this.#lastId(a) || this.#entryId(a) - this.#entryId(b),
    };
    this.#tree = new OrderedRows({ pool: this.#pool, order });
  }

  conversation(id: Value): Conversation {
    let found = this.conversations.get(id);
    if (!found) {
      found = { id, threads: [], entries: [], lastId: undefined, last: NOT_HELD };
      this.conversations.set(id, found);
    }
    return found;
  }

  thread(conversation: Conversation, author: Value): Thread {
    const known = conversation.threads.find((thread) => thread.author === author);
    if (known) return known;
    const thread = this.#messages.newThread(author);
    conversation.threads.push(thread);
    return thread;
  }

  /** Drops what is empty: a thread without messages, a conversation without messages and members. */
  tidy(conversation: Conversation, thread?: Thread): void {
    if (thread?.count === 0) {
      conversation.threads.splice(conversation.threads.indexOf(thread), 1);
      this.#messages.freeThread(thread);
    }
    if (conversation.threads.length === 0 && conversation.entries.length === 0)
      this.conversations.delete(conversation.id);
  }

  /** A conversation has another last message, or none any more: it moves in the list of each member. */
  setLast(conversation: Conversation, lastId: number | undefined, last: Conversation['last']): void {
    if (lastId !== conversation.lastId) {
      for (const entry of conversation.entries) this.#unlist(entry);
      conversation.lastId = lastId;
      for (const entry of conversation.entries) this.#list(entry);
    }
    conversation.last = last;
  }

  /** Adds a membership row whose id is not in it. While loading, `recount` comes later. */
  add(values: { id: number; conversation: Value; member: Value; read: number | null }): Entry {
    const conversation = this.conversation(values.conversation);
    const number = this.#free.pop() ?? this.#byNumber.push(undefined) - 1;
    const entry: Entry = { ...values, number, conversation, list: this.#openList(values.member), unread: 0 };
    this.#byNumber[number] = entry;
    this.entries.set(entry.id, entry);
    const after = conversation.entries.findIndex((other) => other.id > entry.id);
    conversation.entries.splice(after < 0 ? conversation.entries.length : after, 0, entry);
    return entry;
  }

  /** Counts an added membership's unread messages and lists it. */
  enlist(entry: Entry): void {
    this.recount(entry);
    this.#list(entry);
  }

  remove(entry: Entry): void {
    this.#unlist(entry);
    const { entries } = entry.conversation;
    entries.splice(entries.indexOf(entry), 1);
    this.entries.delete(entry.id);
    this.#byNumber[entry.number] = undefined;
    this.#free.push(entry.number);
    this.#closeList(entry.member);
    this.tidy(entry.conversation);
  }

  /** Counts a member's unread messages anew: the read mark has moved. */
  recount(entry: Entry): void {
    const { conversation, member, read } = entry;
    entry.unread = 0;
    if (conversation.lastId === undefined || (read !== null && read >= conversation.lastId)) return;
    for (const thread of conversation.threads) {
      if (thread.author === null || thread.author === member) continue;
      entry.unread += this.#messages.countAfter(thread, read ?? Number.NEGATIVE_INFINITY);
    }
  }

  /** At most `limit` of a member's entries, the latest message first; of those whose last message is below `before`. */
  list(member: Value, limit: number, before?: number): Entry[] {
    const list = this.#lists.get(member);
    if (!list || member === null) return [];
    const start = this.#place(list.number, before === undefined ? Number.POSITIVE_INFINITY : before - 0.5);
    const end = this.#place(list.number + 1, Number.POSITIVE_INFINITY);
    return this.#tree.range(start, Math.min(limit, end - start)).map((number) => this.#byNumber[number]!);
  }

  isListed(entry: Entry): boolean {
    return isShown(entry.conversation) && this.#tree.rank(entry.number) >= 0;
  }

  /** Estimated: V8 tells nobody what an object takes. */
  get bytes(): number {
    return this.#pool.bytes + this.conversations.size * 500 + this.entries.size * 250;
  }

  /** How many entries come before a place in the lists. */
  #place(list: number, lastId: number): number {
    this.#probe = { list, lastId };
    return this.#tree.before(0);
  }

  #list(entry: Entry): void {
    if (isShown(entry.conversation)) this.#tree.insert(entry.number);
  }

  #unlist(entry: Entry): void {
    if (isShown(entry.conversation)) this.#tree.remove(entry.number);
  }

  #lastId(number: number): number {
    return number === 0 ? this.#probe.lastId : this.#byNumber[number]!.conversation.lastId!;
  }

  /** The probe comes before every entry of its place. */
  #entryId(number: number): number {
    return number === 0 ? Number.NEGATIVE_INFINITY : this.#byNumber[number]!.id;
  }

  #openList(member: Value): number {
    let list = this.#lists.get(member);
    if (!list) {
      list = { number: this.#freeLists.pop() ?? this.#listsMade++, entries: 0 };
      this.#lists.set(member, list);
    }
    list.entries++;
    return list.number;
  }

  #closeList(member: Value): void {
    const list = this.#lists.get(member)!;
    if (--list.entries > 0) return;
    this.#lists.delete(member);
    this.#freeLists.push(list.number);
  }
}

/** A conversation without messages is on no list; messages of none (NULL) are held, but make no conversation. */
function isShown({ id, lastId }: Conversation): boolean {
  return lastId !== undefined && id !== null;
}
