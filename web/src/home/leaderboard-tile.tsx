import type { Boards } from '../leaderboard/boards.ts';
import { useToday } from '../leaderboard/use-today.ts';
import { useTopicState } from '../live/use-live.ts';
import { Tile } from './tile.tsx';

const PLACES = [1, 2, 3, 4, 5];

/** The first five of all time. */
export default function LeaderboardTile() {
  const today = useToday();
  const leaders = useTopicState<Boards>(`leaderboard/scores/${today}`)?.state.overall;
  return (
    <Tile
      name="leaderboard"
      title="Leaderboard"
      about="Ranks by day, month and all time"
      command={`curl '${location.origin}/leaderboard/scores/${today}?limit=5'`}
    >
      {leaders?.length === 0 ? (
        <p className="tile-empty">No games yet. The first score takes the lead.</p>
      ) : (
        <ol className="tile-board">
          {PLACES.slice(0, leaders?.length).map((place) => (
            <li key={place}>
              <span className="place">{place}</span>
              <span className="player">{leaders?.[place - 1]?.username}</span>
              <span className="score">{leaders?.[place - 1]?.score.toLocaleString('en')}</span>
            </li>
          ))}
        </ol>
      )}
    </Tile>
  );
}
