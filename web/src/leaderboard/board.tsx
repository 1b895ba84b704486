import { memo, useRef } from 'react';
import { type Entry, keyed, type Window } from './boards.ts';
import { worded } from './dates.ts';
import { useRowMotion } from './use-row-motion.ts';

interface BoardProps {
  readonly window: Window;
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
  /** Told where it has no games. */
  readonly empty: string;
}

/** One board. Rows glide to their new places as scores arrive. */
export const Board = memo(function Board(props: BoardProps) {
  const { window, title, caption, entries, username, subject, time, empty } = props;
  const body = useRef<HTMLTableSectionElement>(null);
  useRowMotion(body, entries, entries ? subject : 'unknown');
  return (
    <section
      className="panel board"
      data-window={window}
      aria-labelledby={`board-${window}`}
      aria-busy={entries === undefined}
    >
      <header>
        <h2 id={`board-${window}`}>{title}</h2>
        <p>{caption}</p>
      </header>
      {entries?.length === 0 ? (
        <p className="board-empty">{empty}</p>
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
            {entries ? (
              keyed(entries).map(({ key, entry }, index) => (
                <Row key={key} id={key} place={index + 1} entry={entry} own={entry.username === username} time={time} />
              ))
            ) : (
              <Placeholders />
            )}
          </tbody>
        </table>
      )}
    </section>
  );
});

interface RowProps {
  readonly id: string;
  readonly place: number;
  readonly entry: Entry;
  readonly own: boolean;
  readonly time: 'clock' | 'date';
}

function Row({ id, place, entry, own, time }: RowProps) {
  return (
    <tr data-key={id} className={own ? 'own' : undefined}>
      <td className="rank" data-place={place}>
        <span>{place}</span>
      </td>
      <th scope="row">
        <span className="player">
          <span className="name">{entry.username}</span>
          {own && <span className="you">you</span>}
        </span>
        <span className="detail">
          Level {entry.level} ·{' '}
          <time dateTime={`${entry.gamedate.replace(' ', 'T')}Z`}>{worded(entry.gamedate, time)}</time>
        </span>
      </th>
      <td className="score">{entry.score.toLocaleString('en')}</td>
    </tr>
  );
}

const PLACES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

/** As high as the rows to come, so that nothing jumps. */
function Placeholders() {
  return PLACES.map((place) => (
    <tr key={place} className="placeholder">
      <td className="rank">
        <span />
      </td>
      <th>
        <span className="player" />
      </th>
      <td className="score">
        <span />
      </td>
    </tr>
  ));
}
