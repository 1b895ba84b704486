import fc from 'fast-check';
import type { Table } from '../changes/change.ts';
import type { Row } from '../record/value.ts';
import type { ContractOptions, OtherRows } from '../views/contract.ts';
import type { InboxShape } from '../views/inbox/inbox.ts';
import { modelAnswer } from '../views/inbox/model.ts';
import { conversations, type InboxQuery, members, profile } from '../views/inbox/queries.ts';

export const INBOX_SHAPE: InboxShape = {
  messages: { table: 'test.messages', id: 'id', conversation: 'talk', author: 'author', keep: ['text', 'at'] },
  members: { table: 'test.members', id: 'id', conversation: 'talk', member: 'member', read: 'read' },
  profiles: { table: 'test.users', id: 'id', keep: ['name'] },
};

function tableOf(name: string, columns: readonly string[]): Table {
  return { oid: 1, name, columns: columns.map((column) => ({ name: column, type: 25 })), key: ['id'], full: false };
}

const MESSAGES = tableOf('test.messages', ['id', 'talk', 'author', 'text', 'at']);
const MEMBERS = tableOf('test.members', ['id', 'talk', 'member', 'read']);
const USERS = tableOf('test.users', ['id', 'name']);

const talk = fc.option(fc.nat({ max: 4 }), { freq: 12 });
const user = fc.option(fc.nat({ max: 4 }), { freq: 12 });
const record = <T extends Row>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<Row> =>
  fc.record(model, { noNullPrototype: true });

const message = (id: number) =>
  record({ id: fc.constant(id), talk, author: user, text: fc.string({ unit: 'binary' }), at: fc.nat({ max: 3 }) });
const member = (id: number) =>
  record({ id: fc.constant(id), talk, member: user, read: fc.option(fc.nat({ max: 40 }), { freq: 4 }) });
const person = (id: number) => record({ id: fc.constant(id), name: fc.constantFrom('Ann', 'Bob', 'Zoë') });

const query: fc.Arbitrary<InboxQuery> = fc.oneof(
  fc
    .tuple(fc.nat({ max: 5 }), fc.nat({ max: 6 }), fc.option(fc.nat({ max: 41 }), { nil: undefined }))
    .map(([who, limit, before]) => conversations({ member: who, limit, before })),
  fc.nat({ max: 5 }).map((id) => members({ conversation: id })),
  fc.nat({ max: 5 }).map((id) => profile({ id })),
);

function tablesOf(messages: readonly Row[], others: OtherRows) {
  return { messages, members: others[MEMBERS.name] ?? [], profiles: others[USERS.name] ?? [] };
}

/** Whose each message is, the last one of each conversation, and all of the rest. */
function held(messages: readonly Row[], others: OtherRows): unknown {
  const last = new Map<unknown, Row>();
  const ids = new Map<unknown, unknown>();
  for (const row of messages) {
    ids.set(row.id, [row.talk, row.author]);
    const before = last.get(row.talk);
    if (!before || (before.id as number) < (row.id as number)) last.set(row.talk, row);
  }
  return { ids, last, others: Object.values(others).map((rows) => new Map(rows.map((row) => [row.id, row]))) };
}

/** What the contracts of views are given, in memory and in a store. */
export const INBOX_CONTRACT: Omit<ContractOptions<InboxQuery>, 'name' | 'definition'> = {
  table: MESSAGES,
  row: message,
  ids: 40,
  others: [
    { table: MEMBERS, row: member, ids: 12 },
    { table: USERS, row: person, ids: 5 },
  ],
  query,
  model: (rows, asked, others) => modelAnswer(INBOX_SHAPE, tablesOf(rows, others), asked),
  held,
};
