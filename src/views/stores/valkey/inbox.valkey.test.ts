import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { INBOX_CONTRACT, INBOX_SHAPE } from '../../../testing/inbox-rows.ts';
import { ScriptBucket, scriptClient } from '../../../testing/script-bucket.ts';
import { startValkey, type TestValkey, VALKEYS } from '../../../testing/valkey.ts';
import { inbox } from '../../inbox/inbox.ts';
import { conversations, type InboxQuery, members, profile } from '../../inbox/queries.ts';
import { storedContract } from '../../stored-contract.ts';
import { StoredInbox } from './inbox.ts';

storedContract<InboxQuery>({
  ...INBOX_CONTRACT,
  name: 'inbox',
  definition: inbox(INBOX_SHAPE as Parameters<typeof inbox>[0]),
  servers: VALKEYS,
  runs: 60,
});

let server: TestValkey;
let client: Awaited<ReturnType<typeof scriptClient>>;
before(async () => {
  server = await startValkey();
  client = await scriptClient(server.url);
});
after(async () => {
  client.destroy();
  await server.stop();
});

test('[SPEC 3] ids beyond 2^53 and below 0, names of any Unicode, one member twice in a conversation', async () => {
  const kind = new StoredInbox({ shape: INBOX_SHAPE });
  const bucket = new ScriptBucket(client, kind.script);
  const ask = async (query: InboxQuery) => kind.answer(query, await bucket.read(kind.read(query)));
  const { messages, members: memberships, profiles } = INBOX_SHAPE;
  const talk = 'Zürich "\n\0\u{1f600}';
  const me = 2n ** 62n + 1n;
  const big = 2n ** 60n;
  const message = (id: bigint | number, author: unknown) => ({ id, talk, author, text: talk, at: -0 });
  const load = async (table: string, rows: readonly object[]) =>
    bucket.apply([...kind.load(table, rows as never)].map(({ operation }) => operation));
  await load(messages.table, [message(big + 1n, 'ann'), message(-7, 'ann'), message(big, 'ann'), message(5, null)]);
  await load(memberships.table, [
    { id: 9, talk, member: me, read: big },
    { id: -9, talk, member: me, read: null },
    { id: 1, talk, member: 'ann', read: big + 1n },
  ]);
  await load(profiles.table, [{ id: 'ann', name: '\u{1f600}' }]);
  const others = [{ member: 'ann', profile: { id: 'ann', name: '\u{1f600}' } }];
  const last = { id: big + 1n, author: 'ann', text: talk, at: -0 };
  assert.deepEqual(await ask(conversations({ member: me, limit: 5 })), [
    { conversation: talk, last, unread: 3, others },
    { conversation: talk, last, unread: 1, others },
  ]);
  assert.deepEqual(await ask(members({ conversation: talk })), [
    { member: me, profile: null, read: null },
    { ...others[0], read: big + 1n },
    { member: me, profile: null, read: big },
  ]);
  assert.equal(await ask(profile({ id: me })), null);
});
