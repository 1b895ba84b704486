import { useMemo } from 'react';
import { Plot } from '../plot/plot.tsx';
import type { Probe } from './use-probe.ts';
import { median } from './use-probe.ts';

interface LatencyPanelProps {
  readonly probe: Probe;
  readonly running: boolean;
  readonly onRun: (running: boolean) => void;
}

/** What the cache buys, as it happens. */
export function LatencyPanel({ probe: { samples, report }, running, onRun }: LatencyPanelProps) {
  const times = useMemo(() => samples.map(({ at }) => at), [samples]);
  const latencies = useMemo(
    () => [
      { label: 'without', color: '--warn', values: samples.map(({ uncached }) => uncached) },
      { label: 'with the cache', color: '--accent', values: samples.map(({ cached }) => cached) },
    ],
    [samples],
  );
  const ratios = useMemo(
    () => [{ label: 'hits', color: '--accent', values: samples.map(({ hitRatio }) => hitRatio && hitRatio * 100) }],
    [samples],
  );
  const cached = median(samples.map((sample) => sample.cached));
  const uncached = median(samples.map((sample) => sample.uncached));
  return (
    <section className="panel" aria-labelledby="latency">
      <header className="panel-head">
        <h2 id="latency">What caching buys</h2>
        <button type="button" className="button quiet" onClick={() => onRun(!running)}>
          {running ? 'Pause' : 'Go on'}
        </button>
      </header>
      <p className="soft">The same ten heroes read both ways, again and again: their time in the server.</p>
      <dl className="figures">
        <Figure
          name="With the cache"
          mark="cached"
          value={ms(cached)}
          detail={timesRead(report?.latency.cached.count)}
        />
        <Figure
          name="Without"
          mark="uncached"
          value={ms(uncached)}
          detail={timesRead(report?.latency.uncached.count)}
        />
        <Figure
          name="Hit ratio"
          value={report?.hitRatio == null ? '–' : `${(report.hitRatio * 100).toFixed(1)} %`}
          detail={report ? `${report.hits.toLocaleString('en')} hits` : ''}
        />
      </dl>
      <Plot
        label={`Latency over the last minute: median ${ms(cached)} with the cache, ${ms(uncached)} without`}
        times={times}
        lines={latencies}
        format={(value) => `${value} ms`}
        height={190}
      />
      <Plot
        label="Hit ratio over the last minute"
        times={times}
        lines={ratios}
        format={(value) => `${value} %`}
        height={110}
        max={100}
      />
    </section>
  );
}

function Figure({ name, mark, value, detail }: { name: string; mark?: string; value: string; detail: string }) {
  return (
    <div data-mark={mark}>
      <dt>{name}</dt>
      <dd>
        <strong>{value}</strong>
        <span>{detail}</span>
      </dd>
    </div>
  );
}

function ms(value: number | null): string {
  return value === null ? '–' : `${Number(value.toPrecision(2))} ms`;
}

function timesRead(count: number | undefined): string {
  return count === undefined ? '' : `${count.toLocaleString('en')} reads`;
}
