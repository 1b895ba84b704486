import { Link } from 'wouter';
import { useTopicEvents } from '../live/use-live.ts';
import { ActivityCard } from './activity-card.tsx';
import { type Activity, type FeedEvent, read } from './api.ts';
import { Composer } from './composer.tsx';
import { applyEvents } from './feed-events.ts';
import { Icon } from './icons.tsx';
import type { Shared } from './page.tsx';
import { Problem, Waiting } from './states.tsx';
import { useLoaded } from './use-loaded.ts';
import { home } from './where.ts';

interface Status {
  readonly activity: Activity;
  readonly replies: readonly Activity[];
}

/** One post and its replies, which come as they are written. */
export function StatusView({ handle, uuid, signedIn, reactions }: Shared & { handle: string; uuid: string }) {
  const path = `/activities/@${encodeURIComponent(handle)}/status/${encodeURIComponent(uuid)}`;
  const { data, error, reload, update } = useLoaded(path, () => read<Status>(path));
  const apply = (events: readonly FeedEvent[]) =>
    update(({ activity, replies }) => ({
      activity: applyEvents(
        [activity],
        events.filter(({ type }) => type !== 'post' && type !== 'reply'),
      )[0]!,
      replies: applyEvents(
        replies,
        events.filter(({ type }) => type !== 'post'),
      ),
    }));
  useTopicEvents<FeedEvent>('cruddur/feed/home', apply, () => {});
  useTopicEvents<FeedEvent>(`cruddur/feed/${uuid}`, apply, reload);
  return (
    <>
      <h1 className="view-title">
        <Link href={home} className="icon-button" aria-label="Back to the feed">
          <Icon name="back" />
        </Link>
        Post
      </h1>
      {error && <Problem text={error} onRetry={reload} />}
      {!data && !error && <Waiting />}
      {data && (
        <>
          <ActivityCard activity={data.activity} reactions={reactions} links={false} />
          {signedIn && <Composer parent={data.activity} onDone={reload} />}
          <section className="feed replies" aria-label="Replies">
            {data.replies.map((reply) => (
              <ActivityCard key={reply.uuid} activity={reply} reactions={reactions} />
            ))}
          </section>
        </>
      )}
    </>
  );
}
