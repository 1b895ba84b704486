import { Link } from 'wouter';
import type { Boards } from '../leaderboard/boards.ts';
import { useToday } from '../leaderboard/use-today.ts';
import { useConnection, useTopicState } from '../live/use-live.ts';

const PLACES = [1, 2, 3];

/** The first three of all time, live: the shortest proof that it works. */
export function Leaders() {
  const pushed = useTopicState<Boards>(`leaderboard/scores/${useToday()}`);
  const connection = useConnection();
  const leaders = pushed?.state.overall;
  return (
    <section className="leaders" aria-labelledby="leaders">
      <header>
        <h2 id="leaders">All-time leaders</h2>
        <span className="connection" data-state={connection}>
          <span>
            <span className="dot" aria-hidden="true" />
            {connection === 'live' ? 'Live' : 'Connecting'}
          </span>
        </span>
      </header>
      {leaders?.length === 0 ? (
        <p className="soft">No games yet. Be the first.</p>
      ) : (
        <ol>
          {PLACES.slice(0, leaders?.length).map((place) => (
            <li key={place}>
              <span className="player">{leaders?.[place - 1]?.username}</span>
              <span className="score">{leaders?.[place - 1]?.score.toLocaleString('en')}</span>
            </li>
          ))}
        </ol>
      )}
      <Link href="/leaderboard/">Every board</Link>
    </section>
  );
}
