import { useEffect, useRef } from 'react';

/** Does it now and then while the page is seen; what fails is tried again. */
export function useInterval(everyMs: number, work: (signal: AbortSignal) => Promise<void>): void {
  const latest = useRef(work);
  latest.current = work;
  useEffect(() => {
    const leaving = new AbortController();
    const go = () => void (document.hidden || latest.current(leaving.signal).catch(() => {}));
    go();
    const timer = setInterval(go, everyMs);
    return () => {
      clearInterval(timer);
      leaving.abort();
    };
  }, [everyMs]);
}
