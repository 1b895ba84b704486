import { type Activity, type FeedEvent, read } from '../cruddur/api.ts';
import { Avatar } from '../cruddur/avatar.tsx';
import { applyEvents } from '../cruddur/feed-events.ts';
import { span, useNow } from '../cruddur/times.ts';
import { useLoaded } from '../cruddur/use-loaded.ts';
import { useTopicEvents } from '../live/use-live.ts';
import { Tile } from './tile.tsx';

const SHOWN = 3;

/** The newest posts, as they come. */
export default function CruddurTile() {
  const { data, reload, update } = useLoaded('home', () => read<Activity[]>('/activities/home'));
  useTopicEvents<FeedEvent>('cruddur/feed/home', (events) => update((all) => applyEvents(all, events)), reload);
  const now = useNow();
  const posts = data?.filter(({ expires_at }) => Date.parse(expires_at) > now).slice(0, SHOWN);
  return (
    <Tile
      name="cruddur"
      title="Cruddur"
      about="Posts that expire, and direct messages"
      command={`curl ${location.origin}/cruddur/api/activities/home`}
    >
      {posts?.length === 0 && <p className="tile-empty">Nothing here yet. The first post takes the stage.</p>}
      <ul className="tile-posts">
        {posts?.map(({ uuid, handle, display_name, message, created_at }) => (
          <li key={uuid}>
            <Avatar handle={handle} name={display_name} />
            <p>
              <strong>{display_name}</strong> <span>{span(now - Date.parse(created_at))}</span>
              <br />
              {message}
            </p>
          </li>
        ))}
      </ul>
    </Tile>
  );
}
