import type { Row } from '../../../record/value.ts';
import type { InboxShape } from '../../inbox/inbox.ts';
import type { Drift } from '../../view.ts';
import { type Conversation, type Entry, type InboxLists, NOT_HELD } from './inbox-lists.ts';
import type { InboxMessages, Thread } from './inbox-messages.ts';
import { UNKNOWN } from './profiles.ts';

/** Comparisons between two yields. */
const BLOCK = 2048;

/** One of the two states as it is now. */
export interface InboxSide {
  readonly messages: InboxMessages;
  readonly lists: InboxLists;
  readonly threads: readonly { readonly conversation: Conversation; readonly thread: Thread }[];
  readonly profiles: ReadonlyMap<unknown, Row | typeof UNKNOWN>;
  readonly aside: ReadonlySet<string>;
}

/** Gives the two states anew: each comparison looks at them as they are then. */
export interface InboxSides {
  readonly shape: InboxShape;
  view(): InboxSide;
  record(): InboxSide;
}

/**
 * Where `view` differs from `record`: which messages there are and whose, each conversation's last one, every membership with
 * its count and its place on a list, the profiles. Each key is compared at one instant, at which both stand at one position.
 */
export function* compareInboxes(sides: InboxSides): Generator<Drift | undefined> {
  const { shape, view, record } = sides;
  yield* compareKeys(shape.messages.table, () => messageIds(view().messages), sides, messageText);
  yield* compareKeys(shape.messages.table, () => messageIds(record().messages), sides, messageText);
  const conversations = (side: InboxSide) => side.lists.conversations.keys();
  yield* compareKeys('conversation', () => conversations(view()), sides, conversationText);
  yield* compareKeys('conversation', () => conversations(record()), sides, conversationText);
  const entries = (side: InboxSide) => side.lists.entries.keys();
  yield* compareKeys(shape.members.table, () => entries(view()), sides, entryText);
  yield* compareKeys(shape.members.table, () => entries(record()), sides, entryText);
  yield* compareKeys(shape.profiles.table, () => view().profiles.keys(), sides, profileText);
  yield* compareKeys(shape.profiles.table, () => record().profiles.keys(), sides, profileText);
  for (const name of new Set([...view().aside, ...record().aside]))
    if (view().aside.has(name) !== record().aside.has(name))
      yield drift(name, `${view().aside.has(name)}`, `${record().aside.has(name)}`);
}

type Pair = readonly [inView: string, inRecord: string];

/** Compares what both say of each key, by `texts`, and yields once a block. Each difference is told once. */
function* compareKeys<K>(
  name: string,
  keys: () => Iterable<K>,
  sides: InboxSides,
  texts: (view: InboxSide, record: InboxSide, key: K) => Pair | undefined,
): Generator<Drift | undefined> {
  const told = new Set<K>();
  let compared = 0;
  for (const key of keys()) {
    const pair = texts(sides.view(), sides.record(), key);
    if (pair && pair[0] !== pair[1] && !told.has(key)) {
      told.add(key);
      yield drift(`${name} ${String(key)}`, ...pair);
    } else if (++compared % BLOCK === 0) yield undefined;
  }
  yield undefined;
}

/** The ids by row number, as far as the rows go when it gets there. */
export function* messageIds(messages: InboxMessages): Generator<number> {
  for (let row = 1; row < messages.top; row++) {
    const id = messages.id(row);
    if (id !== null) yield id;
  }
}

function messageText(view: InboxSide, record: InboxSide, id: number): Pair {
  return [messageOf(view, id), messageOf(record, id)];
}

function messageOf({ messages, threads }: InboxSide, id: number): string {
  const row = messages.find(id);
  if (row < 0) return 'absent';
  const { conversation, thread } = threads[messages.thread(row)]!;
  return text({ conversation: conversation.id, author: thread.author });
}

/** A last message that one of them does not hold says nothing about the other's. */
function conversationText(view: InboxSide, record: InboxSide, id: Conversation['id']): Pair {
  const [inView, inRecord] = [view.lists.conversations.get(id), record.lists.conversations.get(id)];
  if (!inView || !inRecord) return [inView ? 'held' : 'absent', inRecord ? 'held' : 'absent'];
  if (inView.last === NOT_HELD || inRecord.last === NOT_HELD) return [`${inView.lastId}`, `${inRecord.lastId}`];
  return [text({ lastId: inView.lastId, last: inView.last }), text({ lastId: inRecord.lastId, last: inRecord.last })];
}

function entryText(view: InboxSide, record: InboxSide, id: number): Pair {
  return [entryOf(view.lists, id), entryOf(record.lists, id)];
}

function entryOf(lists: InboxLists, id: number): string {
  const entry: Entry | undefined = lists.entries.get(id);
  if (!entry) return 'absent';
  const { conversation, member, read, unread } = entry;
  return text({ conversation: conversation.id, member, read, unread, listed: lists.isListed(entry) });
}

function profileText(view: InboxSide, record: InboxSide, id: unknown): Pair | undefined {
  const [inView, inRecord] = [view.profiles.get(id), record.profiles.get(id)];
  if (inView === UNKNOWN || inRecord === UNKNOWN) return undefined;
  return [text(inView), text(inRecord)];
}

function drift(what: string, inView: string, inRecord: string): Drift {
  return { what, inView, inRecord };
}

function text(value: unknown): string {
  if (value === undefined) return 'absent';
  return JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? String(each) : each));
}
