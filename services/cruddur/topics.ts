import {
  type Change,
  type Membership,
  members,
  profile,
  type Row,
  type ServiceContext,
  type Topic,
} from '../../src/index.ts';
import { type Author, activityBody, messageBody, NOBODY } from './answers.ts';
import { notYours } from './message-writes.ts';
import { type Activity, asPerson, type Member, type Message, type Person, type views } from './views.ts';

type Context = ServiceContext<typeof views>;
type Events = Iterable<{ readonly key: string; readonly data: unknown }>;

/**
 * `cruddur/feed/home`: posts, and the counts of posts, for everybody. `cruddur/feed/<uuid of a post>`: its replies.
 * `cruddur/inbox/<sub>`: somebody's messages and read marks, for that user alone.
 */
export function topics(context: Context): Record<string, Topic> {
  return {
    feed: { type: 'events', events: (change) => feedEvents(context, change) },
    inbox: {
      type: 'events',
      events: (change) => inboxEvents(context, change),
      authorize: (key, user) => user?.sub === key,
    },
  };
}

function* feedEvents(context: Context, change: Change): Events {
  if (change.table.name === 'cruddur.users' && change.op === 'update') {
    const { handle, display_name } = change.after as unknown as Person;
    yield { key: 'home', data: { type: 'profile', handle, display_name } };
  }
  if (change.table.name !== 'cruddur.activities' || !change.after) return;
  const activity = change.after as unknown as Activity;
  const { uuid, replies_count, likes_count, reposts_count, reply_to_uuid: parent } = activity;
  const key = parent ?? 'home';
  if (change.op === 'update') {
    yield { key, data: { type: 'counts', uuid, replies_count, likes_count, reposts_count } };
    return;
  }
  const dataBy = (author: Author) => ({ type: parent ? 'reply' : 'post', ...activityBody(activity, author) });
  const author = personOf(context, activity.user_id);
  if (author) yield { key, data: dataBy(author) };
  else
    later(context, async ({ views, live }) => {
      const { results } = await views.inbox.read([profile({ id: activity.user_id })]);
      live.signal('cruddur/feed', key, [dataBy(asPerson(results[0]) ?? NOBODY)]);
    });
}

/** The views have applied the change already: they know who is in the conversation. */
function* inboxEvents(context: Context, change: Change): Events {
  if (change.table.name === 'cruddur.messages' && change.op === 'insert') {
    const message = change.after as unknown as Message;
    const known = context.views.inbox.readNow(questions(message));
    if (known) yield* delivered(message, known.results);
    else
      later(context, async ({ views, live }) => {
        const { results } = await views.inbox.read(questions(message));
        for (const { key, data } of delivered(message, results)) live.signal('cruddur/inbox', key, [data]);
      });
  }
  if (change.table.name === 'cruddur.message_group_members' && change.op === 'update') {
    const { message_group_uuid, user_id } = change.after as unknown as Member;
    const me = personOf(context, user_id);
    if (me) yield { key: me.sub, data: { type: 'read', message_group_uuid } };
  }
}

function questions({ message_group_uuid, user_id }: Message) {
  return [members({ conversation: message_group_uuid }), profile({ id: user_id })] as const;
}

/** A message as each member of its conversation is told of it. */
function* delivered(message: Message, [list, found]: readonly [Membership[], Row | null]): Events {
  const author = asPerson(found) ?? NOBODY;
  const { message_group_uuid } = message;
  const data = { type: 'message', message_group_uuid, ...messageBody({ ...message, ...pick(author) }) };
  for (const { profile } of list) if (profile) yield { key: asPerson(profile)!.sub, data };
}

/** While the view cannot say who somebody is (its schema is being looked at), the record can. */
function later(context: Context, push: (context: Context) => Promise<void>): void {
  push(context).catch((error) => context.log.warn({ err: error }, 'not pushed: whom it is for will find it'));
}

/** Tells the others in a conversation, unless `quiet`, that somebody is typing. Throws 403 for somebody who is not in it. */
export async function signalTyping(
  { views, live }: Context,
  { group, userId, quiet }: { group: string; userId: number; quiet: boolean },
): Promise<void> {
  const { results } = await views.inbox.read([members({ conversation: group }), profile({ id: userId })]);
  const [list, author] = results;
  if (!list.some(({ member }) => member === userId)) throw notYours();
  if (quiet) return;
  const data = { type: 'typing', message_group_uuid: group, handle: asPerson(author)!.handle };
  for (const { member, profile } of list)
    if (profile && member !== userId) live.signal('cruddur/inbox', asPerson(profile)!.sub, [data]);
}

function personOf({ views }: Context, id: number): Person | null {
  return asPerson(views.inbox.readNow([profile({ id })])?.results[0]);
}

function pick({ display_name, handle }: Author): Author {
  return { display_name, handle };
}
