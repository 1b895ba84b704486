/** What V8 writes with `--cpu-prof`, as far as it is used (Chrome DevTools Protocol, Profiler.Profile). */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  /** Microseconds of the monotonic clock. */
  readonly startTime: number;
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Microseconds of the monotonic clock. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export interface SelfTime {
  /** `function file:line` */
  readonly name: string;
  readonly area: string;
  readonly micros: number;
}

/** The time spent in each function itself within `span`, the longest first. */
export function selfTimes({ nodes, startTime, samples, timeDeltas }: CpuProfile, span: Span): SelfTime[] {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const times = new Map<string, { name: string; area: string; micros: number }>();
  let now = startTime;
  samples.forEach((id, i) => {
    now += timeDeltas[i]!;
    if (now < span.from || now > span.to) return;
    const { functionName, url, lineNumber } = frames.get(id)!;
    const file = shortened(url);
    const name = `${functionName || '(anonymous)'}${file && ` ${file}:${lineNumber + 1}`}`;
    const time = times.get(name) ?? { name, area: areaOf(functionName, file), micros: 0 };
    // A sample stands for the time until the next one.
    time.micros += timeDeltas[i + 1] ?? 0;
    times.set(name, time);
  });
  return [...times.values()].sort((a, b) => b.micros - a.micros);
}

/** `pg/lib/client.js`, `src/http/server.ts`, `node:net`. */
function shortened(url: string): string {
  return url
    .replace(/^.*\/node_modules\//, '')
    .replace(/^file:\/\/.*\/(src|services|bench)\//, '$1/')
    .replace(/^file:\/\//, '');
}

function areaOf(functionName: string, file: string): string {
  if (functionName === '(idle)') return 'idle';
  if (functionName === '(garbage collector)') return 'garbage collection';
  if (file === '') return 'native code called from JavaScript';
  if (file.startsWith('node:')) return `Node: ${/(net|http|stream|timers|buffer)/.exec(file)?.[1] ?? 'other'}`;
  const [first, second] = file.split('/');
  return first === 'src' ? `Lockstep: src/${second}` : first === 'services' ? `Lockstep: services/${second}` : first!;
}
