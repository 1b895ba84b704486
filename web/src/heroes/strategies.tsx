import type { CacheReport } from './hero.ts';

/** What each strategy does, with its numbers. */
export function Strategies({ report }: { report: CacheReport | null }) {
  const number = (value: number | undefined) => value?.toLocaleString('en');
  const strategies = [
    [
      'Lazy loading',
      'A row is held when somebody asked for it. All rows that are missing come in one query; a thousand askers of one row wait for the same one.',
      `${number(report?.hits)} hits, ${number(report?.misses)} misses`,
    ],
    [
      'Write-through',
      'Written with the cache, a row is in it when the answer goes out. Written without, it waits until it is asked for.',
      `${number(report?.rows)} rows held, ${kilobytes(report?.bytes)} of ${kilobytes(report?.maxBytes)}`,
    ],
    [
      'Never stale',
      'No write goes to the cache: every change comes from the log of the record, in the order of commits, also one made by hand with SQL.',
      `${report?.eviction ?? '–'}, ${number(report?.evictions)} evicted, ${keptFor(report?.ttlSeconds)}`,
    ],
  ] as const;
  return (
    <section aria-labelledby="strategies">
      <h2 id="strategies">What it does</h2>
      <ul className="strategies">
        {strategies.map(([name, about, numbers]) => (
          <li key={name}>
            <h3>{name}</h3>
            <p>{about}</p>
            {/* As high before the numbers are known. */}
            <p className="numbers">{report ? numbers : '\u00a0'}</p>
          </li>
        ))}
      </ul>
    </section>
  );
}

function kilobytes(bytes: number | undefined): string {
  if (bytes === undefined) return '–';
  return bytes < 2 ** 20 ? `${Math.ceil(bytes / 1024)} KiB` : `${(bytes / 2 ** 20).toFixed(0)} MiB`;
}

function keptFor(seconds: number | null | undefined): string {
  if (seconds === null) return 'kept for as long as there is room';
  return `let go of after ${seconds === undefined ? '–' : (seconds / 60).toLocaleString('en')} min`;
}
