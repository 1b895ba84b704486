import type { Transaction } from '../../changes/change.ts';
import { formatPosition } from '../../changes/position.ts';
import type { Live, SignalTopic, TopicUser } from '../../live/live.ts';
import { ClientError } from '../../record/errors.ts';
import { type ShownChange, shownChange } from './shown-row.ts';

const STATUS_MS = 1000;
const CHANGES_MS = 100;
/** Changes told of at a time; the rest is counted. */
const MAX_CHANGES = 20;
/** The key for the changes of every table. */
const ALL = '*';

export interface ConsoleTopicsOptions {
  status(): unknown;
  readonly tables: readonly string[];
  readonly live: Live;
}

/** What `console/changes/<table>` tells: the newest last. */
export interface RecentChanges {
  readonly changes: readonly (ShownChange & {
    readonly position: string /** Milliseconds since 1970. */;
    readonly at: number;
  })[];
  /** Changes that came beside these, too many to tell. */
  readonly more: number;
}

export function isAdmin(user: Pick<TopicUser, 'roles'> | null): boolean {
  return user?.roles.includes('admin') ?? false;
}

/** `console/status/now`: the status every second. `console/changes/<table>`, `*` for all: changes as they are committed. For admins. */
export function consoleTopics(options: ConsoleTopicsOptions): Readonly<Record<'status' | 'changes', SignalTopic>> {
  const authorize = (_key: string, user: TopicUser | null) => isAdmin(user);
  return {
    status: { type: 'signals', authorize, watch: (key, send) => watchStatus(options, key, send) },
    changes: { type: 'signals', authorize, watch: (key, send) => watchChanges(options, key, send) },
  };
}

function watchStatus({ status }: ConsoleTopicsOptions, key: string, send: (data: unknown) => void): () => void {
  if (key !== 'now') throw new ClientError(404, 'The status is followed as console/status/now.');
  const first = setImmediate(() => send(status()));
  const timer = setInterval(() => send(status()), STATUS_MS);
  return () => {
    clearImmediate(first);
    clearInterval(timer);
  };
}

/** Costs the feed a comparison a change while somebody looks, and never more to send than a few changes every 100 ms. */
function watchChanges(options: ConsoleTopicsOptions, table: string, send: (data: RecentChanges) => void): () => void {
  const { tables, live } = options;
  if (table !== ALL && !tables.includes(table)) {
    throw new ClientError(404, `No view follows a table ${JSON.stringify(table)}; tables: ${tables.join(', ')}.`);
  }
  let changes: RecentChanges['changes'][number][] = [];
  let more = 0;
  const transaction = ({ lsn, committedAt, changes: made }: Transaction) => {
    for (const change of made) {
      if (table !== ALL && change.table.name !== table) continue;
      if (changes.length >= MAX_CHANGES) more++;
      else {
        const position = formatPosition({ epoch: live.watermark.epoch, lsn });
        changes.push({ ...shownChange(change), position, at: committedAt / 1000 });
      }
    }
  };
  const unfollow = live.follow({ transaction, resync() {} });
  const timer = setInterval(() => {
    if (changes.length === 0) return;
    const data = { changes, more };
    changes = [];
    more = 0;
    send(data);
  }, CHANGES_MS);
  return () => {
    unfollow();
    clearInterval(timer);
  };
}
