import { useCallback, useEffect, useRef, useState } from 'react';
import { messageFor } from '../client.ts';

export interface Loaded<T> {
  /** Undefined until it is loaded. */
  readonly data: T | undefined;
  readonly error: string | null;
  reload(): void;
  /**
   * Puts in what is known before the server is asked again. While it is being asked, the change is made again in its answer, which
   * may be older: so it must be one that can be made twice.
   */
  update(change: (data: T) => T): void;
}

/** Loads at once, again when `key` changes, and on request; of answers that overtake each other, the last request's counts. */
export function useLoaded<T>(key: string | null, load: () => Promise<T>): Loaded<T> {
  const [state, setState] = useState<{ key: string | null; data?: T; error: string | null }>({ key, error: null });
  const latest = useRef({ load, request: 0, meanwhile: null as ((data: T) => T)[] | null });
  latest.current.load = load;
  const reload = useCallback(() => {
    if (key === null) return;
    const request = ++latest.current.request;
    latest.current.meanwhile = [];
    const isLatest = () => request === latest.current.request;
    latest.current.load().then(
      (loaded) => {
        if (!isLatest()) return;
        const data = latest.current.meanwhile!.reduce((before, change) => change(before), loaded);
        latest.current.meanwhile = null;
        setState({ key, data, error: null });
      },
      (error) => {
        if (!isLatest()) return;
        latest.current.meanwhile = null;
        setState((before) => ({ ...before, key, error: messageFor(error) }));
      },
    );
  }, [key]);
  useEffect(() => {
    reload();
    return () => void latest.current.request++;
  }, [reload]);
  const update = useCallback((change: (data: T) => T) => {
    latest.current.meanwhile?.push(change);
    setState((before) => (before.data === undefined ? before : { ...before, data: change(before.data) }));
  }, []);
  const current = state.key === key;
  return { data: current ? state.data : undefined, error: current ? state.error : null, reload, update };
}
