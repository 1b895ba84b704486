import { useEffect, useRef, useState } from 'react';
import { client } from '../client.ts';
import { type Pushed, useConnection, useTopicState } from '../live/use-live.ts';
import type { Boards } from './boards.ts';
import type { Day } from './dates.ts';

const POLL_MS = 5000;

/** The boards of a day: pushed, or asked for every few seconds while no WebSocket comes through. */
export function useBoards(day: Day): { boards: Pushed<Boards> | undefined; changedAt: number | undefined } {
  const topic = `leaderboard/scores/${day}`;
  const pushed = useTopicState<Boards>(topic);
  const asked = useAsked(day, topic, useConnection() === 'offline');
  const boards = asked && asked.at > (pushed?.at ?? 0) ? asked : pushed;
  return { boards, changedAt: useChangedAt(boards) };
}

/** When they were last seen to change: not known of those that come first, nor told by the same ones again. */
function useChangedAt(boards: Pushed<Boards> | undefined): number | undefined {
  const seen = useRef<{ topic: string; text: string; at?: number }>(undefined);
  if (!boards) return undefined;
  const { topic, at } = boards;
  const text = JSON.stringify(boards.state);
  if (seen.current?.topic !== topic) seen.current = { topic, text };
  else if (seen.current.text !== text) seen.current = { topic, text, at };
  return seen.current.at;
}

function useAsked(day: Day, topic: string, needed: boolean): Pushed<Boards> | undefined {
  const [asked, setAsked] = useState<Pushed<Boards>>();
  useEffect(() => {
    if (!needed) return;
    const leaving = new AbortController();
    const ask = async () => {
      const { body, headers } = await client.send<Boards>(`GET /leaderboard/scores/${day}?limit=10`, leaving);
      setAsked({ topic, state: body, position: headers.get('lockstep-position') ?? '', at: Date.now() });
    };
    const timer = setInterval(() => ask().catch(() => {}), POLL_MS);
    return () => {
      clearInterval(timer);
      leaving.abort();
    };
  }, [day, topic, needed]);
  return asked?.topic === topic ? asked : undefined;
}
