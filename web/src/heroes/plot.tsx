import { useEffect, useRef, useSyncExternalStore } from 'react';
import UPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { currentTheme, onThemeChange } from '../shell/theme.ts';

export interface Line {
  readonly label: string;
  /** A design token: `--accent`. */
  readonly color: string;
  readonly values: readonly (number | null)[];
}

interface PlotProps {
  /** What it shows, in words. */
  readonly label: string;
  /** Seconds since 1970. */
  readonly times: readonly number[];
  readonly lines: readonly Line[];
  readonly unit: string;
  readonly height: number;
  /** The axis ends there; at the highest value unless told. */
  readonly max?: number;
}

/** Lines over time. */
export function Plot({ label, times, lines, unit, height, max }: PlotProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot>(undefined);
  const theme = useSyncExternalStore(onThemeChange, currentTheme);
  const names = lines.map((line) => `${line.label} ${line.color}`).join();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the values come by setData; the names stand for the lines
  useEffect(() => {
    const element = box.current!;
    const made = new UPlot(
      optionsFor({ element, lines, unit, height, ...(max !== undefined && { max }) }),
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
  }, [names, unit, height, max, theme]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a plot made anew needs its values too
  useEffect(() => {
    plot.current?.setData([times as number[], ...lines.map((line) => line.values as number[])]);
  }, [times, lines, theme]);
  return <div ref={box} className="plot" role="img" aria-label={label} style={{ height }} />;
}

function optionsFor(
  props: Pick<PlotProps, 'lines' | 'unit' | 'height' | 'max'> & { element: HTMLElement },
): UPlot.Options {
  const { element, lines, unit, height, max } = props;
  const colorOf = resolver(element);
  const soft = colorOf('--ink-soft');
  const grid = { stroke: colorOf('--line'), width: 1 };
  const font = `12px ${getComputedStyle(element).fontFamily}`;
  const axis = { stroke: soft, font, grid, ticks: { show: false } };
  const range = (_: UPlot, _low: number, high: number): UPlot.Range.MinMax => [0, max ?? Math.max(0.1, high * 1.1)];
  return {
    width: Math.max(200, element.clientWidth),
    height,
    legend: { show: false },
    cursor: { show: false },
    scales: { y: { range } },
    axes: [
      { ...axis, space: 80, values: (_, ticks) => ticks.map(clock) },
      { ...axis, size: 56, values: (_, ticks) => ticks.map((tick) => `${tick} ${unit}`) },
    ],
    series: [
      {},
      ...lines.map((line) => ({
        label: line.label,
        stroke: colorOf(line.color),
        width: 2,
        spanGaps: true,
        points: { show: false },
      })),
    ],
  };
}

function clock(seconds: number): string {
  return new Date(seconds * 1000).toLocaleTimeString('en-GB');
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
