import { useEffect, useState } from 'react';
import { client } from '../client.ts';
import { useConnection, useTopicSignals } from '../live/use-live.ts';
import { useInterval } from '../use-interval.ts';
import type { ConsoleDetails, ConsoleStatus, Measure, Series } from './types.ts';

/** A second's, between the last two statuses. */
export interface Rates {
  readonly requests: number;
  readonly transactions: number;
  readonly changes: number;
  readonly messages: number;
}

export interface ConsoleState {
  readonly status: ConsoleStatus;
  readonly rates: Rates;
}

const NONE: Rates = { requests: 0, transactions: 0, changes: 0, messages: 0 };
const HOUR = 3600;
const DETAILS_MS = 4000;

/** The status as it comes every second, with what happened in between. `onRefused`: no admin any more. */
export function useStatus(onRefused: () => void): ConsoleState | undefined {
  const [state, setState] = useState<ConsoleState>();
  useTopicSignals<ConsoleStatus>(
    'console/status/now',
    (status) => setState((before) => ({ status, rates: before ? ratesOf(before, status) : NONE })),
    onRefused,
  );
  return state;
}

function ratesOf({ status: before, rates }: ConsoleState, now: ConsoleStatus): Rates {
  const seconds = (now.at - before.at) / 1000;
  if (seconds <= 0) return rates;
  // Another process counts from zero again.
  const rate = (of: (status: ConsoleStatus) => number) => Math.max(0, of(now) - of(before)) / seconds;
  return {
    requests: rate(({ requests }) => requests),
    transactions: rate(({ live }) => live.transactions),
    changes: rate(({ live }) => live.changes),
    messages: rate(({ clients }) => clients.sent),
  };
}

/** The last hour: read when the connection opens, then gone on with by what comes. */
export function useHistory(latest: ConsoleStatus['latest'] | undefined): Series<Measure> | undefined {
  const [history, setHistory] = useState<Series<Measure>>();
  const connection = useConnection();
  useEffect(() => {
    if (connection !== 'live') return;
    client.send<Series<Measure>>('GET /console/api/history').then(
      ({ body }) => setHistory(body),
      () => {}, // what the status says of it is enough
    );
  }, [connection]);
  useEffect(() => {
    if (latest) setHistory((known) => known && appended(known, latest));
  }, [latest]);
  return history;
}

function appended(known: Series<Measure>, { at, values }: NonNullable<ConsoleStatus['latest']>): Series<Measure> {
  if (at <= (known.times.at(-1) ?? 0)) return known;
  const from = known.times.findIndex((time) => time > at - HOUR);
  const start = from < 0 ? known.times.length : from;
  const series = Object.entries(known.series).map(([name, all]) => [
    name,
    [...all.slice(start), values[name as Measure]],
  ]);
  return { times: [...known.times.slice(start), at], series: Object.fromEntries(series) };
}

/** Slots and routes, asked for every few seconds while the page is seen. */
export function useDetails(): ConsoleDetails | undefined {
  const [details, setDetails] = useState<ConsoleDetails>();
  useInterval(DETAILS_MS, async (signal) => {
    setDetails((await client.send<ConsoleDetails>('GET /console/api/details', { signal })).body);
  });
  return details;
}
