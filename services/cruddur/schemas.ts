import { Type } from '../../src/index.ts';

/** Where the routes stand in `/docs`, and that a route wants a token. */
export const TAGS = ['cruddur'];
export const SIGNED_IN = [{ token: [] }];

/**
 * How paths of handles begin. `encodeURIComponent('@ann')` writes `%40ann`, which the router takes for a text, not for its `@`: a second
 * route, which `/docs` does not show, finds that.
 */
export const AT = [
  ['@', {}],
  [':at(@)', { hide: true }],
] as const;

/** What the routes take, for `/docs`. The handlers check it themselves: the contract wants codes. */

const uuid = (description: string) => Type.String({ description, examples: ['0199d2c1-7f52-7d1e-9c7e-3f1d1c5f8a10'] });

export const Post = Type.Object({
  message: Type.String({
    description: 'At most 280 characters; @handle mentions somebody',
    examples: ['Cloud is fun!'],
  }),
  ttl: Type.String({
    description: 'How long it is shown: 30-days, 7-days, 3-days, 1-day, 12-hours, 3-hours or 1-hour',
    examples: ['7-days'],
  }),
});

export const Reply = Type.Object({ message: Type.String({ description: 'At most 1024 characters' }) });

export const NewMessage = Type.Object({
  message: Type.String({ description: 'At most 1024 characters' }),
  handle: Type.Optional(Type.String({ description: 'To whom: starts a conversation, or finds the one that exists' })),
  message_group_uuid: Type.Optional(uuid('Into which conversation')),
});

export const Read = Type.Object({
  message_uuid: Type.Optional(uuid('The last message that is read; all of them unless told')),
});

export const ProfileUpdate = Type.Object({ bio: Type.Optional(Type.String()), display_name: Type.String() });

export const ActivityPath = Type.Object({ uuid: uuid('A post or reply') });
export const GroupPath = Type.Object({ message_group_uuid: uuid('A conversation') });
export const HandlePath = Type.Object({ handle: Type.String({ examples: ['andrew'] }) });
export const StatusPath = Type.Object({ ...HandlePath.properties, ...ActivityPath.properties });

const before = Type.Optional(uuid('The last entry you have: what comes after it on the list'));
export const Before = Type.Object({ before });
const limit = Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 20, description: 'At most so many' }));
export const Page = Type.Object({ limit, before });
export const Search = Type.Object({
  term: Type.Optional(Type.String({ description: 'Words, all of which are found' })),
});

/** A request for a page of a list. */
export interface PageRequest {
  Querystring: { limit?: number; before?: string };
}
