import { useEffect, useState } from 'react';
import { client } from '../client.ts';
import type { CacheReport, Hero, Percentiles } from './hero.ts';

const EVERY_MS = 400;
/** A minute of samples. */
const KEPT = 150;
const IDS = 10;

/** One moment: the same rows read both ways. Milliseconds in the server, on average since the moment before; null without reads. */
export interface Sample {
  /** Seconds since 1970. */
  readonly at: number;
  readonly cached: number | null;
  readonly uncached: number | null;
  /** Of the rows asked for since the sample before, by anyone; null when there were none. */
  readonly hitRatio: number | null;
}

export interface Probe {
  readonly samples: readonly Sample[];
  readonly report: CacheReport | null;
}

/** Reads ten of the heroes at random, with the cache and without, again and again while it is wanted and the page is seen. */
export function useProbe(heroes: readonly Hero[] | undefined, running: boolean): Probe {
  const [probe, setProbe] = useState<Probe>({ samples: [], report: null });
  useEffect(() => {
    if (!running || !heroes || heroes.length === 0) return;
    const leaving = new AbortController();
    let timer: ReturnType<typeof setTimeout>;
    let before: CacheReport | null = null;
    const step = async () => {
      if (!document.hidden) {
        const ids = Array.from({ length: IDS }, () => heroes[Math.floor(Math.random() * heroes.length)]!.id);
        const taken = await take(ids, before, leaving.signal).catch(() => null);
        if (leaving.signal.aborted) return;
        if (taken) {
          before = taken.report;
          setProbe(({ samples }) => ({ samples: [...samples, taken.sample].slice(-KEPT), report: taken.report }));
        }
      }
      timer = setTimeout(step, EVERY_MS);
    };
    step();
    return () => {
      leaving.abort();
      clearTimeout(timer);
    };
  }, [heroes, running]);
  return probe;
}

async function take(ids: readonly number[], before: CacheReport | null, signal: AbortSignal) {
  await client.send('GET /heroes', { query: { ids: ids.join() }, signal });
  await client.send('GET /heroes', { query: { ids: ids.join(), cache: false }, signal });
  const { body: report } = await client.send<CacheReport>('GET /heroes/cache', { signal });
  const hits = report.hits - (before?.hits ?? 0);
  const asked = hits + report.misses - (before?.misses ?? 0);
  const mean = (of: 'cached' | 'uncached') => meanSince(report.latency[of], before?.latency[of]);
  const hitRatio = asked > 0 ? hits / asked : null;
  const sample = { at: Date.now() / 1000, cached: mean('cached'), uncached: mean('uncached'), hitRatio };
  return { sample, report };
}

function meanSince(now: Percentiles, before: Percentiles | undefined): number | null {
  const count = now.count - (before?.count ?? 0);
  return count > 0 ? (now.total - (before?.total ?? 0)) / count : null;
}

/** The middle one. */
export function median(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null).sort((a, b) => a - b);
  return known[known.length >> 1] ?? null;
}
