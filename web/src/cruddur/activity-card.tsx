import type { ReactNode } from 'react';
import { Link } from 'wouter';
import type { Activity } from './api.ts';
import { Avatar } from './avatar.tsx';
import { Icon } from './icons.tsx';
import { remaining, span, useNow } from './times.ts';
import type { MyReactions } from './use-reactions.ts';
import { place } from './where.ts';
import './activity.css';

interface CardProps {
  readonly activity: Activity;
  readonly reactions: MyReactions;
  /** Whether it links to its own page. */
  readonly links?: boolean;
  /** What happened to it, above. */
  readonly note?: ReactNode;
}

/** A post or reply, with what one can do to it. Gone from the moment it expires. */
export function ActivityCard({ activity, reactions, links = true, note }: CardProps) {
  const now = useNow();
  const { uuid, handle, display_name, message, created_at, expires_at } = activity;
  const left = Date.parse(expires_at) - now;
  if (left <= 0) return null;
  const profile = place('profile', { handle });
  const status = place('status', { handle, uuid });
  return (
    <article className="card activity" aria-label={`${display_name}: ${message.slice(0, 60)}`}>
      {note}
      <header>
        <Avatar handle={handle} name={display_name} />
        <Link href={profile} className="author">
          <strong>{display_name}</strong> <span>@{handle}</span>
        </Link>
        <time dateTime={created_at} title={new Date(created_at).toLocaleString()}>
          {span(now - Date.parse(created_at))}
        </time>
      </header>
      <p className="text">{mentions(message)}</p>
      <footer>
        <Link
          href={status}
          className="action"
          aria-label={`Replies: ${activity.replies_count}`}
          aria-current={links ? undefined : 'page'}
        >
          <Icon name="reply" />
          {activity.replies_count}
        </Link>
        <Reaction
          what="repost"
          count={activity.reposts_count}
          done={reactions.has('reposts', uuid)}
          onClick={() => reactions.toggle('reposts', uuid)}
        />
        <Reaction
          what="like"
          count={activity.likes_count}
          done={reactions.has('likes', uuid)}
          onClick={() => reactions.toggle('likes', uuid)}
        />
        <span className="expiry" title={`Expires ${new Date(expires_at).toLocaleString()}`}>
          <Icon name="clock" />
          <span className="visually-hidden">Expires in </span>
          {remaining(left)}
        </span>
      </footer>
    </article>
  );
}

function Reaction({
  what,
  count,
  done,
  onClick,
}: {
  what: 'like' | 'repost';
  count: number;
  done: boolean;
  onClick: () => void;
}) {
  const name = what === 'like' ? 'Like' : 'Repost';
  return (
    <button
      type="button"
      className={`action ${what}`}
      aria-pressed={done}
      aria-label={`${name}: ${count}`}
      onClick={onClick}
    >
      <Icon name={what} />
      {count}
    </button>
  );
}

const MENTION = /(@[\p{L}\p{N}_][\p{L}\p{M}\p{N}_-]*)/u;

/** The text with its mentions as links. */
export function mentions(message: string): ReactNode[] {
  return message.split(MENTION).map((part, i) => {
    if (i % 2 === 0) return part;
    return (
      // biome-ignore lint/suspicious/noArrayIndexKey: the parts of one text never move
      <Link key={i} href={place('profile', { handle: part.slice(1) })}>
        {part}
      </Link>
    );
  });
}
