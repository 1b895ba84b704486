import type { Change } from '../../../changes/change.ts';
import type { Row } from '../../../record/value.ts';
import type { InboxAudit } from '../../inbox/audit.ts';
import type { InboxShape } from '../../inbox/inbox.ts';
import { checkQuery } from '../../inbox/limits.ts';
import type { InboxQuery, Listed, Membership, Participant } from '../../inbox/queries.ts';
import type { BucketOperation, Operation, StoredKind, StoredRead } from '../../stored.ts';
import type { MemoryView } from '../../view.ts';
import type { MemoryInbox } from '../memory/inbox.ts';
import { audited, auditRead } from './inbox-audit.ts';
import { markFrom, markText, placeOf } from './place.ts';
import { StoredProfiles } from './profiles.ts';
import { rowFrom, rowText, valueFrom, valueText } from './row-text.ts';
import { inOneBucket, script } from './script.ts';

type Question = InboxQuery | InboxAudit;
type Asked = Omit<StoredRead, 'bucket'>;
/** Of a listed conversation: itself, the last row, the number of unread messages, each other's member and profile. */
type ListedReply = readonly [conversation: string, last: string, unread: number, others: readonly string[]];

/**
 * The `inbox` kind in Valkey or Redis, in one bucket: a conversation, its members' lists and their profiles are read together.
 * Unread messages are counted when they are asked for, between two places of a sorted set. About 300 bytes a message.
 */
export class StoredInbox implements StoredKind<InboxQuery> {
  readonly buckets = 1;
  readonly script = script({}, ['rows', 'profiles', 'inbox']);
  readonly shape: string;
  readonly #shape: InboxShape;
  readonly #profiles: StoredProfiles;
  /** The columns of a last message, in their order. */
  readonly #shown: readonly string[];

  constructor({ shape }: { readonly shape: InboxShape }) {
    this.#shape = shape;
    this.shape = JSON.stringify(shape);
    this.#profiles = new StoredProfiles(shape.profiles);
    this.#shown = [shape.messages.id, shape.messages.author, ...shape.messages.keep];
  }

  *load(table: string, rows: readonly Row[]): Generator<BucketOperation> {
    const { messages, members, profiles } = this.#shape;
    for (const row of rows) {
      if (table === messages.table) yield inOneBucket(this.#message(null, row));
      if (table === members.table) yield inOneBucket(this.#membership(null, row));
      if (table === profiles.table) yield inOneBucket(this.#profiles.put(null, row));
    }
  }

  *changes(changes: readonly Change[]): Generator<BucketOperation> {
    const { messages, members, profiles } = this.#shape;
    for (const change of changes) {
      const { name } = change.table;
      if (name === messages.table) yield inOneBucket(this.#messageChanged(change));
      if (name === members.table) yield inOneBucket(this.#membershipChanged(change));
      if (name === profiles.table) yield inOneBucket(this.#profiles.changed(change));
    }
  }

  read(query: Question): StoredRead[] {
    return [{ bucket: 0, ...this.#asked(query) }];
  }

  answer(query: Question, [reply]: readonly unknown[]): unknown {
    if (reply === null) return undefined;
    switch (query.ask) {
      case 'conversations':
        return (reply as ListedReply[]).map((listed) => this.#listed(listed));
      case 'members':
        return query.conversation === null ? [] : this.#memberships(reply as string[]);
      case 'profile':
        return this.#profiles.rowOf(reply as string);
      default:
        return audited({ shown: this.#shown, profiles: this.#profiles }, query, reply);
    }
  }

  audit(twin: MemoryView<InboxQuery>): Iterable<InboxAudit> {
    return (twin as MemoryInbox).audit();
  }

  #messageChanged(change: Change): Operation {
    if (change.op === 'truncate') return ['truncate_messages'];
    if (change.op === 'delete') return ['delete_message', placeOf(change.before[this.#shape.messages.id])];
    return this.#message(change.before, change.after);
  }

  #message(before: Row | null, after: Row): Operation {
    const { id, conversation, author } = this.#shape.messages;
    const [old, place] = [placeOf((before ?? after)[id]), placeOf(after[id])];
    const parts = [valueText(after[conversation]), valueText(after[author]), rowText(after, this.#shown)];
    return ['message', old, place, ...parts];
  }

  #membershipChanged(change: Change): Operation {
    if (change.op === 'truncate') return ['truncate_memberships'];
    if (change.op === 'delete') return ['delete_membership', placeOf(change.before[this.#shape.members.id])];
    return this.#membership(change.before, change.after);
  }

  #membership(before: Row | null, after: Row): Operation {
    const { id, conversation, member, read } = this.#shape.members;
    const text = [valueText(after[conversation]), valueText(after[member]), markText(after[read])].join('\n');
    return ['membership', placeOf((before ?? after)[id]), placeOf(after[id]), text];
  }

  #asked(query: Question): Asked {
    switch (query.ask) {
      case 'conversations':
        return this.#conversations(query);
      case 'members':
        return { name: 'members', args: [valueText(query.conversation)] };
      case 'profile':
        return { name: 'profile', args: [valueText(query.id)] };
      default:
        return auditRead(this.#profiles, query);
    }
  }

  #conversations(query: Question & { ask: 'conversations' }): Asked {
    checkQuery(query);
    const { member, limit, before } = query;
    const least = member === null ? 0 : limit; // nobody's list is empty
    return {
      name: 'conversations',
      args: [valueText(member), String(least), before === undefined ? '' : placeOf(before)],
    };
  }

  #listed([conversation, last, unread, others]: ListedReply): Listed {
    return {
      conversation: valueFrom(conversation),
      last: rowFrom(last, this.#shown)!,
      unread: Number(unread),
      others: pairs(
        others,
        (member, profile): Participant => ({
          member: valueFrom(member),
          profile: this.#profiles.rowOf(profile),
        }),
      ),
    };
  }

  #memberships(reply: readonly string[]): Membership[] {
    const found: Membership[] = [];
    for (let i = 0; i < reply.length; i += 3) {
      const [member, read, profile] = reply.slice(i, i + 3) as [string, string, string];
      found.push({ member: valueFrom(member), profile: this.#profiles.rowOf(profile), read: markFrom(read) });
    }
    return found;
  }
}

function pairs<T>(flat: readonly string[], make: (first: string, second: string) => T): T[] {
  return Array.from({ length: flat.length / 2 }, (_, i) => make(flat[2 * i]!, flat[2 * i + 1]!));
}
