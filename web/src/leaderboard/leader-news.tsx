import { useEffect, useRef, useState } from 'react';
import { type Boards, WINDOWS, type Window } from './boards.ts';

const NAMES: Readonly<Record<Window, string>> = { overall: 'all time', monthly: 'the month', daily: 'the day' };

/** Tells a screen reader when the lead of a board changes; the rest of what moves would be too much to hear. */
export function LeaderNews({ boards, subject }: { boards: Boards | undefined; subject: string }) {
  const before = useRef<{ boards: Boards; subject: string }>(undefined);
  const [news, setNews] = useState('');
  useEffect(() => {
    const last = before.current;
    if (boards) before.current = { boards, subject };
    if (boards && last?.subject === subject) setNews((old) => newLeads(last.boards, boards) || old);
  }, [boards, subject]);
  return (
    <p className="visually-hidden" aria-live="polite">
      {news}
    </p>
  );
}

function newLeads(before: Boards, after: Boards): string {
  return WINDOWS.flatMap((window) => {
    const [old] = before[window];
    const [leader] = after[window];
    if (!leader || (old && old.username === leader.username && old.score === leader.score)) return [];
    return `${leader.username} leads ${NAMES[window]} with ${leader.score.toLocaleString('en')} points.`;
  }).join(' ');
}
