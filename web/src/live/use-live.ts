import './connection.css';
import type { Connection } from 'lockstep/client';
import { useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { client } from '../client.ts';

const { live } = client;
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

/** The latest state of a state topic; undefined until the first has come. */
export function useTopicState<State>(topic: string): Pushed<State> | undefined {
  const [pushed, setPushed] = useState<Pushed<State>>();
  const latest = useRef(topic);
  latest.current = topic;
  useEffect(
    () =>
      live.follow<State>(topic, {
        onMessage({ event, data, position }) {
          if (event === 'state' && latest.current === topic)
            setPushed({ topic, state: data, position, at: Date.now() });
        },
      }),
    [topic],
  );
  return pushed?.topic === topic ? pushed : undefined;
}

/**
 * What happens on an event topic, as it happens; signals too. `onMissed` is called where something may have been missed, and
 * when it is followed at first: what was loaded before is to be loaded again.
 */
export function useTopicEvents<Event>(
  topic: string | undefined,
  onEvents: (events: readonly Event[]) => void,
  onMissed: () => void = () => {},
): void {
  const latest = useRef({ onEvents, onMissed });
  latest.current = { onEvents, onMissed };
  useEffect(() => {
    if (topic === undefined) return;
    return live.follow<Event[]>(topic, {
      onMessage({ event, data }) {
        if (event === 'resync') latest.current.onMissed();
        else latest.current.onEvents(data);
      },
    });
  }, [topic]);
}

/** What is told now, on a topic of signals; undefined follows nothing. */
export function useTopicSignals<Signal>(
  topic: string | undefined,
  onSignal: (signal: Signal) => void,
  onRefused: (status: number) => void = () => {},
): void {
  const latest = useRef({ onSignal, onRefused });
  latest.current = { onSignal, onRefused };
  useEffect(() => {
    if (topic === undefined) return;
    return live.follow<Signal>(topic, {
      onMessage: ({ event, data }) => void (event === 'signal' && latest.current.onSignal(data)),
      onRefused: (status) => latest.current.onRefused(status),
    });
  }, [topic]);
}
