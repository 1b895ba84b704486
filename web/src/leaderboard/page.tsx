import { useState } from 'react';
import { useSearchParams } from 'wouter';
import { Segments } from '../form/segments.tsx';
import { useUser } from '../session/use-user.ts';
import { useTitle } from '../shell/use-title.ts';
import { Board } from './board.tsx';
import { CHOICES, type Window } from './boards.ts';
import { ConnectionState } from './connection-state.tsx';
import { isDay, worded } from './dates.ts';
import { DayPicker } from './day-picker.tsx';
import { FindPlayer } from './find-player.tsx';
import './leaderboard.css';
import { LeaderNews } from './leader-news.tsx';
import { SubmitPanel } from './submit-panel.tsx';
import { useBoards } from './use-boards.ts';
import { useToday } from './use-today.ts';

/** Where there may be games yet. */
const FIRST = 'No games yet. The first score takes the lead.';

export default function LeaderboardPage() {
  useTitle('Leaderboard');
  const [search, setSearch] = useSearchParams();
  const now = useToday();
  const asked = search.get('date');
  const day = isDay(asked) ? asked : now;
  const pick = (next: string) => setSearch(next === now ? {} : { date: next }, { replace: true });

  const [shown, setShown] = useState<Window>('overall');
  const { boards: pushed, changedAt } = useBoards(day);
  const username = useUser()?.username;
  const boards = pushed?.state;
  return (
    <div className="page leaderboard">
      <div className="page-head">
        <div>
          <h1>Leaderboard</h1>
          <ConnectionState position={pushed?.position} changedAt={changedAt} />
        </div>
        <DayPicker day={day} today={now} onPick={pick} />
      </div>
      <Segments
        className="board-choice"
        name="board"
        label="Board"
        choices={CHOICES}
        value={shown}
        onChange={setShown}
      />
      <div className="boards" data-shown={shown}>
        <Board
          window="overall"
          title="All time"
          caption="Every game ever played"
          entries={boards?.overall}
          username={username}
          subject="overall"
          time="date"
          empty={FIRST}
        />
        <Board
          window="monthly"
          title={worded(day, 'month')}
          caption="The month, UTC"
          entries={boards?.monthly}
          username={username}
          subject={day.slice(0, 7)}
          time="date"
          empty={day.slice(0, 7) === now.slice(0, 7) ? FIRST : 'No games in this month.'}
        />
        <Board
          window="daily"
          title={day === now ? 'Today' : worded(day, 'date')}
          caption={`${worded(day, 'day')}, UTC`}
          entries={boards?.daily}
          username={username}
          subject={day}
          time="clock"
          empty={day === now ? FIRST : 'No games on this day.'}
        />
      </div>
      <LeaderNews boards={boards} subject={day} />
      <div className="panels">
        <SubmitPanel />
        <FindPlayer day={day} />
      </div>
    </div>
  );
}
