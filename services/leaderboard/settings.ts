/** Settings of the leaderboard: `services: { leaderboard: { ... } }` in `lockstep.config.ts`. */
export interface Settings {
  readonly minLevel: number;
  readonly maxLevel: number;
  readonly minScore: number;
  readonly maxScore: number;
}

/** What the column `integer` holds. */
const INTEGER = { min: -2_147_483_648, max: 2_147_483_647 };

export const DEFAULTS: Settings = { minLevel: 1, maxLevel: 100, minScore: 0, maxScore: INTEGER.max };

/** The defaults with what the configuration sets; throws an error for the operator where that makes no sense. */
export function readSettings(given: Readonly<Record<string, unknown>> = {}): Settings {
  for (const [name, value] of Object.entries(given)) check(name, value);
  const settings = { ...DEFAULTS, ...given } as Settings;
  for (const [min, max] of [
    ['minLevel', 'maxLevel'],
    ['minScore', 'maxScore'],
  ] as const)
    if (settings[min] > settings[max])
      throw new Error(
        `services.leaderboard.${min} (${settings[min]}) is above ${max} (${settings[max]}): lower one or raise the other.`,
      );
  return settings;
}

function check(name: string, value: unknown): void {
  if (!Object.hasOwn(DEFAULTS, name))
    throw new Error(
      `services.leaderboard.${name}: there is no such setting; there are ${Object.keys(DEFAULTS).join(', ')}.`,
    );
  if (!Number.isInteger(value) || (value as number) < INTEGER.min || (value as number) > INTEGER.max)
    throw new Error(
      `services.leaderboard.${name} is ${JSON.stringify(value)}: expected a whole number from ${INTEGER.min} to ${INTEGER.max}.`,
    );
}
