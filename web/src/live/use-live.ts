import './connection.css';
import { useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { type Connection, LiveClient } from './live-client.ts';

const live = new LiveClient({ url: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/live` });
const subscribe = (listener: () => void) => live.subscribe(listener);

export function useConnection(): Connection {
  return useSyncExternalStore(subscribe, () => live.connection);
}

/** A state as last pushed. */
export interface Pushed<State> {
  readonly topic: string;
  readonly state: State;
  /** The position it reflects: opaque. */
  readonly position: string;
  /** When it arrived, in milliseconds since 1970. */
  readonly at: number;
}

/** Calls `onEvents` with the events of each transaction of an event topic, as they come. */
export function useTopicEvents<Event>(topic: string, onEvents: (events: readonly Event[]) => void): void {
  const latest = useRef(onEvents);
  latest.current = onEvents;
  useEffect(
    () =>
      live.follow(topic, ({ event, data }) => {
        if (event === 'event') latest.current(data as readonly Event[]);
      }),
    [topic],
  );
}

/** The latest state of a state topic; undefined until the first has come. */
export function useTopicState<State>(topic: string): Pushed<State> | undefined {
  const [pushed, setPushed] = useState<Pushed<State>>();
  const latest = useRef(topic);
  latest.current = topic;
  useEffect(
    () =>
      live.follow(topic, ({ event, data, position }) => {
        if (event === 'state' && latest.current === topic)
          setPushed({ topic, state: data as State, position, at: Date.now() });
      }),
    [topic],
  );
  return pushed?.topic === topic ? pushed : undefined;
}
