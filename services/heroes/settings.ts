import type { RowCacheOptions } from '../../src/index.ts';
import { found } from './hero.ts';

/** Settings of heroes: `services: { heroes: { ... } }` in `lockstep.config.ts`. */
export interface Settings {
  /** What the cached rows may take in memory. */
  readonly cacheBytes: number;
  /** Seconds after which a row is let go of, counted from when it was read or last changed; 0 is never. */
  readonly ttlSeconds: number;
  /** The same for ids that no hero has. */
  readonly absentTtlSeconds: number;
}

export const DEFAULTS: Settings = { cacheBytes: 64 * 2 ** 20, ttlSeconds: 600, absentTtlSeconds: 10 };

const YEAR = 365 * 86_400;
const BOUNDS: Readonly<Record<keyof Settings, readonly [least: number, most: number]>> = {
  cacheBytes: [2 ** 16, 2 ** 40],
  ttlSeconds: [0, YEAR],
  absentTtlSeconds: [0, YEAR],
};

/** The defaults with what the configuration sets; throws an error for the operator where that makes no sense. */
export function readSettings(given: Readonly<Record<string, unknown>> = {}): Settings {
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(BOUNDS, name))
      throw new Error(
        `services.heroes.${name}: there is no such setting; there are ${Object.keys(BOUNDS).join(', ')}.`,
      );
    const [least, most] = BOUNDS[name as keyof Settings];
    if (!Number.isInteger(value) || (value as number) < least || (value as number) > most)
      throw new Error(`services.heroes.${name} is ${found(value)}: expected a whole number from ${least} to ${most}.`);
  }
  return { ...DEFAULTS, ...given };
}

/** As the cache takes them. */
export function cacheLimits(settings: Settings): Pick<RowCacheOptions, 'maxBytes' | 'ttlMs' | 'absentTtlMs'> {
  const ms = (seconds: number) => (seconds === 0 ? Number.POSITIVE_INFINITY : seconds * 1000);
  return {
    maxBytes: settings.cacheBytes,
    ttlMs: ms(settings.ttlSeconds),
    absentTtlMs: ms(settings.absentTtlSeconds),
  };
}
