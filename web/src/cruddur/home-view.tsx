import { useState } from 'react';
import { messageFor } from '../client.ts';
import { useTopicEvents } from '../live/use-live.ts';
import { ActivityCard } from './activity-card.tsx';
import { type Activity, type FeedEvent, read } from './api.ts';
import { Composer } from './composer.tsx';
import { applyEvents } from './feed-events.ts';
import type { Shared } from './page.tsx';
import { Problem, Waiting } from './states.tsx';
import { useLoaded } from './use-loaded.ts';

const PAGE = 20;

/** The newest posts, new ones on top as they come. */
export function HomeView({ signedIn, reactions }: Shared) {
  const { data, error, reload, update } = useLoaded('home', () => read<Activity[]>('/activities/home'));
  useTopicEvents<FeedEvent>('cruddur/feed/home', (events) => update((all) => applyEvents(all, events)), reload);
  return (
    <>
      <h1 className="visually-hidden">Home</h1>
      {signedIn && <Composer onDone={reload} />}
      {error && <Problem text={error} onRetry={reload} />}
      {!data && !error && <Waiting />}
      {data?.length === 0 && <p className="card empty">Nothing here yet. The first post takes the stage.</p>}
      <div className="feed" role="feed" aria-label="Posts">
        {data?.map((activity) => (
          <ActivityCard key={activity.uuid} activity={activity} reactions={reactions} />
        ))}
      </div>
      {data && data.length >= PAGE && (
        <Older last={data.at(-1)!} onLoaded={(more) => update((all) => [...all, ...more])} />
      )}
    </>
  );
}

function Older({ last, onLoaded }: { last: Activity; onLoaded: (more: Activity[]) => void }) {
  const [state, setState] = useState<'more' | 'busy' | 'end'>('more');
  const [error, setError] = useState<string | null>(null);
  if (state === 'end') return <p className="list-end">That is all there is.</p>;
  const load = async () => {
    setState('busy');
    try {
      const more = await read<Activity[]>(`/activities/home?before=${last.uuid}`);
      onLoaded(more);
      setError(null);
      setState(more.length < PAGE ? 'end' : 'more');
    } catch (thrown) {
      setError(messageFor(thrown));
      setState('more');
    }
  };
  return (
    <div className="older">
      {error && <Problem text={error} />}
      <button type="button" className="button" disabled={state === 'busy'} onClick={load}>
        Show older posts
      </button>
    </div>
  );
}
