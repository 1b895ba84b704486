/** Settings of scribble: `services: { scribble: { ... } }` in `lockstep.config.ts`. */
export interface Settings {
  /** Points a second of one connection; four seconds' worth at once. */
  readonly pointsPerSecond: number;
  /** Points a second of one address, whatever its connections; this machine itself is spared. 0 is no limit. */
  readonly addressPointsPerSecond: number;
  /** Milliseconds between two points of one user or address; 0 is no wait. */
  readonly cooldownMs: number;
  /** Milliseconds in which points are gathered before they are sent to everybody. */
  readonly tickMs: number;
  /** Clients that are sent to at once; the next ones follow when what has come meanwhile is done. */
  readonly sentAtOnce: number;
}

export const DEFAULTS: Settings = {
  pointsPerSecond: 2000,
  addressPointsPerSecond: 10_000,
  cooldownMs: 0,
  tickMs: 10,
  sentAtOnce: 125,
};

const BOUNDS: Readonly<Record<keyof Settings, readonly [least: number, most: number]>> = {
  pointsPerSecond: [1, 1_000_000],
  addressPointsPerSecond: [0, 10_000_000],
  cooldownMs: [0, 86_400_000],
  tickMs: [0, 1000],
  sentAtOnce: [1, 100_000],
};

/** The defaults with what the configuration sets; throws an error for the operator where that makes no sense. */
export function readSettings(given: Readonly<Record<string, unknown>> = {}): Settings {
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(BOUNDS, name))
      throw new Error(
        `services.scribble.${name}: there is no such setting; there are ${Object.keys(BOUNDS).join(', ')}.`,
      );
    const [least, most] = BOUNDS[name as keyof Settings];
    if (!Number.isInteger(value) || (value as number) < least || (value as number) > most)
      throw new Error(
        `services.scribble.${name} is ${JSON.stringify(value)}: expected a whole number from ${least} to ${most}.`,
      );
  }
  return { ...DEFAULTS, ...given };
}
