import { useEffect, useState } from 'react';
import { useConnection } from '../live/use-live.ts';

const WORDS = { connecting: 'Connecting', live: 'Live', offline: 'Reconnecting' } as const;

/** Whether the boards follow the record now, the position they reflect, and how long ago they changed, where that is known. */
export function ConnectionState({
  position,
  changedAt,
}: {
  position: string | undefined;
  changedAt: number | undefined;
}) {
  const connection = useConnection();
  return (
    <div className="connection" data-state={connection}>
      <span role="status">
        <span className="dot" aria-hidden="true" />
        {WORDS[connection]}
      </span>
      {position && (
        <>
          <span title="The place in the record's log that the boards reflect">
            position <code>{position.split('-').at(-1)}</code>
          </span>
          {changedAt && <Age since={changedAt} />}
        </>
      )}
    </div>
  );
}

function Age({ since }: { since: number }) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return <span>changed {ago(Math.max(0, now - since) / 1000)}</span>;
}

function ago(seconds: number): string {
  if (seconds < 2) return 'just now';
  if (seconds < 60) return `${Math.floor(seconds)} s ago`;
  return seconds < 3600 ? `${Math.floor(seconds / 60)} min ago` : `${Math.floor(seconds / 3600)} h ago`;
}
