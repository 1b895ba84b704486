import { useState } from 'react';
import { client } from '../client.ts';
import type { CacheReport, Hero } from '../heroes/hero.ts';
import { useInterval } from '../use-interval.ts';
import { Tile } from './tile.tsx';

const POLL_MS = 2000;
const READ = 10;

interface Shown {
  readonly report: CacheReport;
  readonly heroes: readonly Hero[];
}

/** What the cache holds and answers, and what that saves. Reads a few heroes both ways itself, so that there is something to see. */
export default function HeroesTile() {
  const [shown, setShown] = useState<Shown>();
  useInterval(POLL_MS, async (signal) => {
    const { body: heroes } = await client.send<Hero[]>('GET /heroes/list', { query: { limit: READ }, signal });
    const ids = heroes.map(({ id }) => id).join();
    if (ids) {
      await client.send('GET /heroes', { query: { ids }, signal });
      await client.send('GET /heroes', { query: { ids, cache: false }, signal });
    }
    const { body: report } = await client.send<CacheReport>('GET /heroes/cache', { signal });
    setShown({ report, heroes });
  });
  const body = { hero: 'yes', power: 'curl', name: 'pasted', xp: 1, color: 'green' };
  return (
    <Tile
      name="heroes"
      title="Heroes"
      about="A cached table that is never stale"
      command={`curl ${location.origin}/heroes/ -H 'Content-Type: application/json' -d '${JSON.stringify(body)}'`}
    >
      {shown?.heroes.length === 0 ? (
        <p className="tile-empty">No heroes yet. The command below makes one.</p>
      ) : (
        <Numbers report={shown?.report} />
      )}
    </Tile>
  );
}

function Numbers({ report }: { report: CacheReport | undefined }) {
  const { cached, uncached } = report?.latency ?? {};
  const longest = Math.max(cached?.p50 ?? 0, uncached?.p50 ?? 0);
  const bars = [
    ['With the cache', cached?.p50, 'cached'],
    ['Without', uncached?.p50, 'uncached'],
  ] as const;
  return (
    <>
      <dl className="tile-figures">
        <Figure name="Held" value={report?.rows.toLocaleString('en')} />
        <Figure name="Hits" value={report?.hits.toLocaleString('en')} />
        <Figure
          name="Hit ratio"
          value={report?.hitRatio == null ? undefined : `${(report.hitRatio * 100).toFixed(0)} %`}
        />
      </dl>
      <ul className="tile-bars">
        {bars.map(([name, value, kind]) => (
          <li key={kind} data-kind={kind}>
            <span>{name}</span>
            <strong>{value == null ? '–' : `${Number(value.toPrecision(2))} ms`}</strong>
            <i style={{ width: `${longest > 0 ? Math.max(2, ((value ?? 0) / longest) * 100) : 0}%` }} />
          </li>
        ))}
      </ul>
    </>
  );
}

function Figure({ name, value }: { name: string; value: string | undefined }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value ?? '–'}</dd>
    </div>
  );
}
