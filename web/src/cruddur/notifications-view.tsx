import { Link } from 'wouter';
import { mentions } from './activity-card.tsx';
import { type Notification, own } from './api.ts';
import { Avatar } from './avatar.tsx';
import type { Shared } from './page.tsx';
import { Problem, Waiting } from './states.tsx';
import { span, useNow } from './times.ts';
import { useLoaded } from './use-loaded.ts';
import { place } from './where.ts';
import './lists.css';

const WORDS = { reply: 'replied', like: 'likes your post', repost: 'reposted you', mention: 'mentioned you' } as const;

/** What others did with what is mine. */
export function NotificationsView({ me }: Shared) {
  const { data, error, reload } = useLoaded(me ? 'notifications' : null, () =>
    own<Notification[]>('GET', '/activities/notifications'),
  );
  const now = useNow();
  return (
    <>
      <h1 className="view-title">News</h1>
      {error && <Problem text={error} onRetry={reload} />}
      {!data && !error && <Waiting />}
      {data?.length === 0 && <p className="card empty">Nobody has replied to you, liked or mentioned you yet.</p>}
      {data && data.length > 0 && (
        <ul className="card news">
          {data.map(({ type, uuid, handle, display_name, message, at }) => (
            <li key={`${type} ${uuid} ${handle}`}>
              <Avatar handle={handle} name={display_name} />
              <div>
                <p>
                  <Link href={place('profile', { handle })}>
                    <strong>{display_name}</strong>
                  </Link>{' '}
                  {WORDS[type]} <span className="soft">· {span(now - Date.parse(at))}</span>
                </p>
                <p className="soft quote">{mentions(message)}</p>
              </div>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
