import { Link, useSearchParams } from 'wouter';
import { Avatar } from './avatar.tsx';
import type { Shared } from './page.tsx';
import { Problem, Waiting } from './states.tsx';
import { NewThread, Thread } from './thread.tsx';
import { span, useNow } from './times.ts';
import type { Inbox } from './use-inbox.ts';
import { place } from './where.ts';
import './messages.css';

/** The conversations beside the one that is open; on a phone one at a time. */
export function MessagesView({ inbox, me }: Shared & { inbox: Inbox }) {
  const [params] = useSearchParams();
  const { data, error, reload } = inbox.groups;
  const to = params.get('to');
  // Whom a message is to be sent to may have a conversation already.
  const known = to && data?.find(({ handle }) => handle.toLowerCase() === to.toLowerCase());
  const open = known ? known.uuid : params.get('with');
  return (
    <div className="messages" data-open={open || to ? true : undefined}>
      <section className="card groups" aria-label="Conversations">
        <h1>Messages</h1>
        {error && <Problem text={error} onRetry={reload} />}
        {!data && !error && <Waiting />}
        {data?.length === 0 && <p className="empty">No conversations yet. Open somebody’s profile and say hello.</p>}
        <ul>
          {data?.map((group) => (
            <li key={group.uuid}>
              <GroupLink group={group} open={group.uuid === open} />
            </li>
          ))}
        </ul>
      </section>
      {me && open && <Thread key={open} uuid={open} me={me} inbox={inbox} />}
      {me && data && !open && to && <NewThread key={to} handle={to} />}
      {!open && !to && <p className="card empty pick">Pick a conversation.</p>}
    </div>
  );
}

function GroupLink({ group, open }: { group: NonNullable<Inbox['groups']['data']>[number]; open: boolean }) {
  const { uuid, handle, display_name, message, created_at, unread_count } = group;
  const now = useNow();
  return (
    <Link
      href={place('messages', { with: uuid })}
      aria-current={open ? 'true' : undefined}
      data-unread={unread_count > 0 || undefined}
    >
      <Avatar handle={handle} name={display_name} />
      <span className="group-name">
        <strong>{display_name}</strong> <span className="soft">@{handle}</span>
      </span>
      <time dateTime={created_at}>{span(now - Date.parse(created_at))}</time>
      <span className="group-text">{message}</span>
      {unread_count > 0 && (
        <span className="badge">
          {unread_count}
          <span className="visually-hidden"> unread</span>
        </span>
      )}
    </Link>
  );
}
