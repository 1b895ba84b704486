import { useMemo, useState } from 'react';
import { Segments } from '../form/segments.tsx';
import { type Line, Plot } from '../plot/plot.tsx';
import { bytes, ms, percent, rate } from './format.ts';
import type { Measure, Series } from './types.ts';

interface Shown {
  readonly title: string;
  readonly lines: readonly (readonly [Measure, label: string, color: string])[];
  readonly format: (value: number) => string;
  /** The axis reaches this far in any case. */
  readonly atLeast: number;
  /** A logarithmic axis from here on: half and 99 % may be far apart. */
  readonly logFrom?: number;
  /** Distances of the axis' lines, where decimal ones are not the right ones. */
  readonly steps?: readonly number[];
}

const BINARY = Array.from({ length: 40 }, (_, power) => 2 ** (power + 8));

const SHOWN: readonly Shown[] = [
  {
    title: 'Commit to view',
    lines: [
      ['delayP99', '99 %', '--plot-second'],
      ['delayP50', 'half', '--accent'],
    ],
    format: ms,
    atLeast: 10,
    logFrom: 0.1,
  },
  {
    title: 'Changes a second',
    lines: [
      ['changes', 'rows', '--accent'],
      ['transactions', 'commits', '--plot-second'],
    ],
    format: rate,
    atLeast: 10,
  },
  {
    title: 'Messages pushed a second',
    lines: [['messages', 'messages', '--accent']],
    format: rate,
    atLeast: 10,
  },
  {
    title: 'Requests a second',
    lines: [['requests', 'requests', '--accent']],
    format: rate,
    atLeast: 10,
  },
  {
    title: 'Answers',
    lines: [
      ['requestP99', '99 %', '--plot-second'],
      ['requestP50', 'half', '--accent'],
    ],
    format: ms,
    atLeast: 10,
    logFrom: 0.1,
  },
  {
    title: 'Log kept by the slots',
    lines: [['walBytes', 'kept', '--accent']],
    format: bytes,
    atLeast: 2 ** 20,
    steps: BINARY,
  },
];

const SPANS = [
  ['3600', '1 h'],
  ['900', '15 min'],
  ['300', '5 min'],
] as const;

type Span = (typeof SPANS)[number][0];

/** The shortest that holds all there is: soon after the start an hour would be empty. */
function fitting(history: Series<Measure> | undefined): Span {
  const known = (history?.times.at(-1) ?? 0) - (history?.times[0] ?? 0);
  if (!history || known > 900) return '3600';
  return known > 300 ? '900' : '300';
}

/** The last hour, or less of it, in small multiples with one cursor. */
export function Plots({ history }: { history: Series<Measure> | undefined }) {
  const [chosen, setSpan] = useState<Span>();
  const span = chosen ?? fitting(history);
  const [point, setPoint] = useState<number | null>(null);
  const shown = useMemo(() => cut(history, Number(span)), [history, span]);
  const at = point === null ? undefined : shown.times[point];
  return (
    <section aria-labelledby="plots">
      <header className="section-head">
        <h2 id="plots">History</h2>
        <span className="soft point">{at !== undefined && new Date(at * 1000).toLocaleTimeString('en-GB')}</span>
        <Segments name="span" label="Shown" choices={SPANS} value={span} onChange={setSpan} />
      </header>
      <div className="plots">
        {SHOWN.map((each) => (
          <Multiple
            key={each.title}
            shown={each}
            history={shown}
            span={Number(span)}
            point={point}
            onPoint={setPoint}
          />
        ))}
      </div>
    </section>
  );
}

interface MultipleProps {
  readonly shown: Shown;
  readonly history: Series<Measure>;
  readonly span: number;
  /** The index under the cursor; the last one counts where there is none. */
  readonly point: number | null;
  readonly onPoint: (point: number | null) => void;
}

function Multiple({
  shown: { title, lines, format, atLeast, logFrom, steps },
  history,
  span,
  point,
  onPoint,
}: MultipleProps) {
  const drawn = useMemo<readonly Line[]>(
    () =>
      lines.map(([measure, label, color]) => ({
        label,
        color,
        filled: color === '--accent' && logFrom === undefined,
        values: history.series[measure],
      })),
    [lines, logFrom, history],
  );
  const together = useMemo(() => ({ name: 'console', onPoint }), [onPoint]);
  const values = drawn.map(({ label, color, values }) => {
    const value = (point === null ? values.at(-1) : values[point]) ?? null;
    return { label, color, text: value === null ? '–' : format(value) };
  });
  const now = values.map(({ label, text }) => `${label} ${text}`).join(', ');
  return (
    <section className="panel multiple" aria-label={title}>
      <header>
        <h3>{title}</h3>
        <p className="plotted-now">
          {values.toReversed().map(({ label, color, text }) => (
            <span key={label} className="plotted">
              <i style={{ background: `var(${color})` }} />
              {drawn.length > 1 && label} <strong>{text}</strong>
            </span>
          ))}
        </p>
      </header>
      <Plot
        label={`${title}: ${now}`}
        times={history.times}
        lines={drawn}
        format={format}
        height={150}
        atLeast={atLeast}
        steps={steps}
        logFrom={logFrom}
        span={span}
        together={together}
      />
    </section>
  );
}

const EMPTY = { times: [], series: {} } as unknown as Series<Measure>;

/** Its last `span` seconds. Every measure has its list, if an empty one. */
function cut(history: Series<Measure> | undefined, span: number): Series<Measure> {
  const { times, series } = history ?? EMPTY;
  const after = (times.at(-1) ?? 0) - span;
  const from = Math.max(
    0,
    times.findIndex((time) => time > after),
  );
  const names = SHOWN.flatMap(({ lines }) => lines.map(([measure]) => measure));
  const kept = Object.fromEntries(names.map((name) => [name, series[name]?.slice(from) ?? []]));
  return { times: times.slice(from), series: kept as Record<Measure, (number | null)[]> };
}

/** For elsewhere: what the process itself needs. */
export function processWords(history: Series<Measure> | undefined): string {
  const memory = history?.series.memoryBytes.at(-1);
  const cpu = history?.series.cpuShare.at(-1);
  return memory == null ? '' : `${bytes(memory)} of memory, ${percent(cpu)} of a core`;
}
