import { Link } from 'wouter';
import type { Boards } from '../leaderboard/boards.ts';
import { useToday } from '../leaderboard/use-today.ts';
import { useConnection, useTopicState } from '../live/use-live.ts';

/** The first three of all time, live: the shortest proof that it works. */
export function Leaders() {
  const pushed = useTopicState<Boards>(`leaderboard/scores/${useToday()}`);
  const connection = useConnection();
  const leaders = pushed?.state.overall.slice(0, 3);
  return (
    <section className="leaders" aria-labelledby="leaders">
      <header>
        <h2 id="leaders">All-time leaders</h2>
        <span className="connection" data-state={connection}>
          <span className="dot" aria-hidden="true" />
          {connection === 'live' ? 'Live' : 'Connecting'}
        </span>
      </header>
      {leaders?.length === 0 ? (
        <p className="soft">No games yet. Be the first.</p>
      ) : (
        <ol>
          {(leaders ?? [undefined, undefined, undefined]).map((entry, index) => (
            <li key={index} data-place={index + 1}>
              <span className="player">{entry?.username ?? ' '}</span>
              <span className="score">{entry?.score.toLocaleString('en')}</span>
            </li>
          ))}
        </ol>
      )}
      <Link href="/leaderboard/">Every board</Link>
    </section>
  );
}
