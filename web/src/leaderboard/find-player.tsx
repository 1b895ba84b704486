import { useState } from 'react';
import { client } from '../client.ts';
import { Field } from '../form/field.tsx';
import { Segments } from '../form/segments.tsx';
import { useSubmission } from '../form/use-submission.ts';
import { CHOICES, type Entry, type Window } from './boards.ts';
import { type Day, worded } from './dates.ts';

interface Ranked extends Entry {
  readonly rank: number;
}

interface Standing extends Ranked {
  readonly window: Window;
  readonly date: Day | null;
  readonly of: number;
  readonly percentile: number;
  readonly neighbours: readonly Ranked[];
}

/** Where a player stands among the players, with those just above and below. */
export function FindPlayer({ day }: { day: Day }) {
  const [window, setWindow] = useState<Window>('overall');
  const [found, setFound] = useState<Standing | null>(null);
  const { error, busy, submit } = useSubmission(async (data) => {
    setFound(null);
    const { body } = await client.send<Standing>('GET /leaderboard/players/{name}/rank', {
      params: { name: String(data.get('player')).trim() },
      query: { window, date: day, around: 3 },
    });
    setFound(body);
  });
  return (
    <section className="panel" aria-labelledby="find-player">
      <h2 id="find-player">Find a player</h2>
      <p className="soft">Each player's best game counts</p>
      <form className="find-form" onSubmit={submit}>
        <Field name="player" label="Player name" autoComplete="off" spellCheck={false} required />
        <button type="submit" className="button" disabled={busy}>
          Find
        </button>
        <Segments name="window" label="Window" choices={CHOICES} value={window} onChange={setWindow} />
      </form>
      {error && (
        <p role="alert" className="form-error">
          {error}
        </p>
      )}
      <div role="status">{found && <Found standing={found} />}</div>
    </section>
  );
}

function Found({ standing }: { standing: Standing }) {
  const { username, rank, of, percentile, neighbours } = standing;
  return (
    <div className="standing">
      <p className="standing-rank">
        <strong>#{rank.toLocaleString('en')}</strong>
        <span>
          of {of.toLocaleString('en')} {of === 1 ? 'player' : 'players'} {periodOf(standing)}
          <br />
          ahead of {percentile.toLocaleString('en')} % of the others
        </span>
      </p>
      <table>
        <caption className="visually-hidden">{username} and the players around</caption>
        <thead className="visually-hidden">
          <tr>
            <th scope="col">Rank</th>
            <th scope="col">Player</th>
            <th scope="col">Score</th>
          </tr>
        </thead>
        <tbody>
          {neighbours.map((entry) => (
            <tr key={entry.username} className={entry.username === username ? 'own' : undefined}>
              <td className="rank">
                <span>{entry.rank.toLocaleString('en')}</span>
              </td>
              <th scope="row">
                <span className="player">
                  <span className="name">{entry.username}</span>
                </span>
              </th>
              <td className="score">{entry.score.toLocaleString('en')}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function periodOf({ window, date }: Standing): string {
  if (window === 'overall' || date === null) return 'of all time';
  return window === 'monthly' ? `in ${worded(date, 'month')}` : `on ${worded(date, 'date')}`;
}
