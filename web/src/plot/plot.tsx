import { useEffect, useRef, useSyncExternalStore } from 'react';
import UPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { currentTheme, onThemeChange } from '../shell/theme.ts';
import './plot.css';

export interface Line {
  readonly label: string;
  /** A design token: `--accent`. */
  readonly color: string;
  /** Whether the area below is tinted. */
  readonly filled?: boolean;
  readonly values: readonly (number | null)[];
}

export interface PlotProps {
  /** What it shows, in words. */
  readonly label: string;
  /** Seconds since 1970. */
  readonly times: readonly number[];
  readonly lines: readonly Line[];
  /** A value of the y axis as text. */
  readonly format: (value: number) => string;
  readonly height: number;
  /** The axis ends there; above the highest value unless told. */
  readonly max?: number;
  /** The axis reaches this far in any case. */
  readonly atLeast?: number;
  /** The y axis is logarithmic, from here on; what is lower is drawn there. The area between the first two lines is tinted. */
  readonly logFrom?: number | undefined;
  /** Distances that lines of the y axis may have; decimal ones unless told. */
  readonly steps?: readonly number[] | undefined;
  /** Seconds that the time axis spans, up to the last value; all values unless told. */
  readonly span?: number;
  /** Plots with the same name show their cursors together, and tell where it is: the index of the time, null for nowhere. */
  readonly together?: { readonly name: string; onPoint(index: number | null): void };
}

/** Lines over time. */
export function Plot({ label, times, lines, format, height, max, atLeast, steps, logFrom, span, together }: PlotProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot>(undefined);
  const latest = useRef({ format, together, span });
  latest.current = { format, together, span };
  const theme = useSyncExternalStore(onThemeChange, currentTheme);
  const names = lines.map((line) => `${line.label} ${line.color}`).join();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the values come by setData; the names stand for the lines
  useEffect(() => {
    const element = box.current!;
    const made = new UPlot(
      optionsFor({
        element,
        lines,
        height,
        max,
        atLeast,
        steps,
        logFrom,
        group: together?.name,
        latest: () => latest.current,
      }),
      [[]],
      element,
    );
    plot.current = made;
    const watch = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    watch.observe(element);
    return () => {
      watch.disconnect();
      made.destroy();
    };
  }, [names, height, max, atLeast, theme]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a plot made anew needs its values too
  useEffect(() => {
    const drawn = (value: number | null) => (value === null ? null : Math.max(value, logFrom ?? value));
    plot.current?.setData([times as number[], ...lines.map((line) => line.values.map(drawn))]);
  }, [times, lines, theme, span, logFrom]);
  return <div ref={box} className="plot" role="img" aria-label={label} style={{ height }} />;
}

type Latest = Pick<PlotProps, 'format' | 'together' | 'span'>;

interface Drawn extends Pick<PlotProps, 'lines' | 'height' | 'steps' | 'logFrom'> {
  readonly element: HTMLElement;
  readonly max: number | undefined;
  readonly atLeast: number | undefined;
  readonly group: string | undefined;
  latest(): Latest;
}

function optionsFor({
  element,
  lines,
  height,
  max,
  atLeast = 0.1,
  steps,
  logFrom,
  group,
  latest,
}: Drawn): UPlot.Options {
  const colorOf = resolver(element);
  const font = `12px ${getComputedStyle(element).fontFamily}`;
  const grid = { stroke: colorOf('--line'), width: 1 };
  const axis = { stroke: colorOf('--ink-soft'), font, grid, ticks: { show: false } };
  return {
    width: Math.max(200, element.clientWidth),
    height,
    // Half of a time is beside the last value.
    padding: [8, 26, 0, 0],
    legend: { show: false },
    cursor: group === undefined ? { show: false } : cursorOf(group),
    hooks: { setCursor: [(plot) => latest().together?.onPoint(plot.cursor.idx ?? null)] },
    scales: {
      x: { range: (_plot, low, high) => [Math.min(low, high - (latest().span ?? 0)), high] },
      y: logFrom
        ? { distr: 3, range: (_plot, _low, high) => [logFrom, nextPower(Math.max(atLeast, high))] }
        : { range: (_plot, _low, high) => [0, max ?? Math.max(atLeast, high * 1.15)] },
    },
    axes: [
      { ...axis, grid: { show: false }, space: 72, size: 28, values: (_, ticks) => clocks(ticks) },
      {
        ...axis,
        size: 66,
        space: 34,
        gap: 6,
        values: (_, ticks) => ticks.map((tick) => latest().format(tick)),
        ...(steps && { incrs: [...steps] }),
        ...(logFrom && {
          splits: (_: UPlot, _axis: number, low: number, high: number) => powers(low, high),
          filter: (_: UPlot, ticks: number[]) => ticks,
        }),
      },
    ],
    ...(logFrom && { bands: [{ series: [1, 2], fill: tint(colorOf(lines[0]!.color)) }] }),
    series: [{}, ...lines.map((line) => seriesOf(line, colorOf(line.color)))],
  };
}

function cursorOf(group: string): UPlot.Cursor {
  return { y: false, drag: { x: false, y: false }, sync: { key: group }, points: { size: 8 } };
}

function seriesOf({ label, filled }: Line, color: string): UPlot.Series {
  return {
    label,
    stroke: color,
    width: 2,
    gaps: onlyLong,
    points: { show: false },
    ...(filled && { fill: tint(color) }),
  };
}

function tint(color: string): string {
  return `color-mix(in oklab, ${color} 13%, transparent)`;
}

/** The next power of ten above. */
function nextPower(value: number): number {
  return 10 ** Math.ceil(Math.log10(value) - 1e-9);
}

function powers(low: number, high: number): number[] {
  const first = Math.round(Math.log10(low));
  return Array.from({ length: Math.round(Math.log10(high)) - first + 1 }, (_, i) => 10 ** (first + i));
}

/** Longer without a value, and the line is broken. */
const GAP_SECONDS = 30;

function onlyLong(
  plot: UPlot,
  _series: number,
  _from: number,
  _to: number,
  gaps: [number, number][],
): [number, number][] {
  const { min = 0, max = 1 } = plot.scales.x!;
  const longest = (GAP_SECONDS / (max! - min!)) * plot.bbox.width;
  return gaps.filter(([from, to]) => to - from > longest);
}

/** With seconds where they differ in them. */
function clocks(ticks: readonly number[]): string[] {
  const step = (ticks[1] ?? 60) - (ticks[0] ?? 0);
  const options: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit' };
  if (step < 60) options.second = '2-digit';
  return ticks.map((tick) => new Date(tick * 1000).toLocaleTimeString('en-GB', options));
}

/** The colour a design token stands for in the present theme. */
function resolver(parent: HTMLElement): (token: string) => string {
  return (token) => {
    const probe = parent.appendChild(document.createElement('span'));
    probe.style.color = `var(${token})`;
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
  };
}
