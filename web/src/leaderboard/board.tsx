import { memo, useRef } from 'react';
import { type Entry, keyed } from './boards.ts';
import { worded } from './dates.ts';
import { useRowMotion } from './use-row-motion.ts';

interface BoardProps {
  readonly id: string;
  readonly title: string;
  readonly caption: string;
  /** Undefined while unknown. */
  readonly entries: readonly Entry[] | undefined;
  /** Games of this player are marked. */
  readonly username: string | undefined;
  /** What the board is of; rows do not move from one subject to another. */
  readonly subject: string;
  /** How a game's time is told. */
  readonly time: 'clock' | 'date';
}

/** One board. Rows glide to their new places as scores arrive. */
export const Board = memo(function Board({ id, title, caption, entries, username, subject, time }: BoardProps) {
  const body = useRef<HTMLTableSectionElement>(null);
  useRowMotion(body, entries, entries ? subject : 'unknown');
  return (
    <section className="board" aria-labelledby={id} aria-busy={entries === undefined}>
      <header>
        <h2 id={id}>{title}</h2>
        <p>{caption}</p>
      </header>
      {entries?.length === 0 ? (
        <p className="board-empty">No games yet. The first score takes the lead.</p>
      ) : (
        <table>
          <thead className="visually-hidden">
            <tr>
              <th scope="col">Rank</th>
              <th scope="col">Player</th>
              <th scope="col">Score</th>
            </tr>
          </thead>
          <tbody ref={body}>
            {entries
              ? keyed(entries).map(({ key, entry }, index) => (
                  <tr key={key} data-key={key} className={entry.username === username ? 'own' : undefined}>
                    <td className="rank" data-place={index + 1}>
                      <span>{index + 1}</span>
                    </td>
                    <th scope="row">
                      <span className="player">
                        {entry.username}
                        {entry.username === username && <span className="you">you</span>}
                      </span>
                      <span className="detail">
                        Level {entry.level} ·{' '}
                        <time dateTime={`${entry.gamedate.replace(' ', 'T')}Z`}>{worded(entry.gamedate, time)}</time>
                      </span>
                    </th>
                    <td className="score">{entry.score.toLocaleString('en')}</td>
                  </tr>
                ))
              : Array.from({ length: 10 }, (_, index) => <Placeholder key={index} />)}
          </tbody>
        </table>
      )}
    </section>
  );
});

function Placeholder() {
  return (
    <tr className="placeholder" aria-hidden="true">
      <td className="rank">
        <span />
      </td>
      <th scope="row">
        <span className="player" />
      </th>
      <td className="score">
        <span />
      </td>
    </tr>
  );
}
