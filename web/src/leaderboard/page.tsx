import { useSearchParams } from 'wouter';
import { useTopicState } from '../live/use-live.ts';
import { useUser } from '../session/use-user.ts';
import { useTitle } from '../shell/use-title.ts';
import { Board } from './board.tsx';
import type { Boards } from './boards.ts';
import { ConnectionState } from './connection-state.tsx';
import { isDay, worded } from './dates.ts';
import { DayPicker } from './day-picker.tsx';
import { FindPlayer } from './find-player.tsx';
import './leaderboard.css';
import { LeaderNews } from './leader-news.tsx';
import { SubmitPanel } from './submit-panel.tsx';
import { useToday } from './use-today.ts';

export default function LeaderboardPage() {
  useTitle('Leaderboard');
  const [search, setSearch] = useSearchParams();
  const now = useToday();
  const asked = search.get('date');
  const day = isDay(asked) ? asked : now;
  const pick = (next: string) => setSearch(next === now ? {} : { date: next }, { replace: true });

  const pushed = useTopicState<Boards>(`leaderboard/scores/${day}`);
  const username = useUser()?.username;
  const month = day.slice(0, 7);
  const boards = pushed?.state;
  return (
    <div className="page leaderboard">
      <div className="page-head">
        <div>
          <h1>Leaderboard</h1>
          <ConnectionState position={pushed?.position} changedAt={pushed?.at} />
        </div>
        <DayPicker day={day} today={now} onPick={pick} />
      </div>
      <div className="boards">
        <Board
          id="overall"
          title="All time"
          caption="Every game ever played"
          entries={boards?.overall}
          username={username}
          subject="overall"
          time="date"
        />
        <Board
          id="monthly"
          title={worded(day, 'month')}
          caption="This month, UTC"
          entries={boards?.monthly}
          username={username}
          subject={month}
          time="date"
        />
        <Board
          id="daily"
          title={day === now ? 'Today' : worded(day, 'date')}
          caption={`${worded(day, 'day')}, UTC`}
          entries={boards?.daily}
          username={username}
          subject={day}
          time="clock"
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
