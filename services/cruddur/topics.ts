import {
  type Change,
  type EventTopic,
  type InboxQuery,
  type Membership,
  members,
  profile,
  type ResultsOf,
  type Row,
  type ServiceContext,
  type Topic,
  type TopicEvent,
  type TopicEvents,
} from '../../src/index.ts';
import { type Author, activityBody, messageBody, NOBODY } from './answers.ts';
import type { Asking } from './caller.ts';
import { notYours } from './message-writes.ts';
import type { Me } from './people.ts';
import { type Activity, asPerson, type Member, type Message, type Person, personOf, type views } from './views.ts';

type Context = ServiceContext<typeof views>;
type Events = ReturnType<EventTopic['events']>;

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

function feedEvents(context: Context, change: Change): Events {
  if (change.table.name === 'cruddur.users' && change.op === 'update') {
    const { handle, display_name } = change.after as unknown as Person;
    return [{ key: 'home', data: { type: 'profile', handle, display_name } }];
  }
  if (change.table.name !== 'cruddur.activities' || !change.after) return [];
  const activity = change.after as unknown as Activity;
  const { uuid, replies_count, likes_count, reposts_count, reply_to_uuid: parent } = activity;
  const key = parent ?? 'home';
  if (change.op === 'update')
    return [{ key, data: { type: 'counts', uuid, replies_count, likes_count, reposts_count } }];
  return ask(context, [profile({ id: activity.user_id })], ([found]) => {
    const author = asPerson(found) ?? NOBODY;
    return [{ key, data: { type: parent ? 'reply' : 'post', ...activityBody(activity, author) } }];
  });
}

/** The views have applied the change already: they know who is in the conversation. */
function inboxEvents(context: Context, change: Change): Events {
  if (change.table.name === 'cruddur.messages' && change.op === 'insert') {
    const message = change.after as unknown as Message;
    return ask(context, questions(message), (found) => delivered(message, found));
  }
  if (change.table.name === 'cruddur.message_group_members' && change.op === 'update') {
    const { message_group_uuid, user_id } = change.after as unknown as Member;
    return ask(context, [profile({ id: user_id })], ([found]) => {
      const me = asPerson(found);
      return me ? [{ key: me.sub, data: { type: 'read', message_group_uuid } }] : [];
    });
  }
  return [];
}

/** At once, or later where the view cannot tell at once: it lives in a store, or its schema is being looked at. */
function ask<const Queries extends readonly InboxQuery[]>(
  { views }: Context,
  queries: Queries,
  events: (results: ResultsOf<Queries>) => TopicEvents,
): Events {
  const now = views.inbox.readNow(queries);
  return now ? events(now.results) : views.inbox.read(queries).then(({ results }) => events(results));
}

function questions({ message_group_uuid, user_id }: Message) {
  return [members({ conversation: message_group_uuid }), profile({ id: user_id })] as const;
}

/** A message as each member of its conversation is told of it. */
function* delivered(message: Message, [list, found]: readonly [Membership[], Row | null]): Iterable<TopicEvent> {
  const author = asPerson(found) ?? NOBODY;
  const { message_group_uuid } = message;
  const data = { type: 'message', message_group_uuid, ...messageBody({ ...message, ...pick(author) }) };
  for (const { profile } of list) if (profile) yield { key: asPerson(profile)!.sub, data };
}

/** Tells the others in a conversation, unless `quiet`, that somebody is typing. Throws 403 for somebody who is not in it, `UserGone`. */
export async function signalTyping(
  { views, live }: Context,
  { group, me, asking, quiet }: { group: string; me: Me; asking: Asking; quiet: boolean },
): Promise<void> {
  const { results } = await views.inbox.read([members({ conversation: group }), profile({ id: me.id })], asking);
  const [list, found] = results;
  const { handle } = personOf(me, found);
  if (!list.some(({ member }) => member === me.id)) throw notYours();
  if (quiet) return;
  const data = { type: 'typing', message_group_uuid: group, handle };
  for (const { member, profile } of list)
    if (profile && member !== me.id) live.signal('cruddur/inbox', asPerson(profile)!.sub, [data]);
}

function pick({ display_name, handle }: Author): Author {
  return { display_name, handle };
}
