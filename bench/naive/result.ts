/** What a player reaches in one game, checked by hand as applications do. */
export interface Result {
  readonly level: number;
  readonly score: number;
}

/** Undefined when it is none. */
export function readResult(body: unknown): Result | undefined {
  const { level, score } = (body ?? {}) as Record<string, unknown>;
  const valid = isWithin(level, 1, 100) && isWithin(score, 0, 2_147_483_647);
  return valid ? { level: level as number, score: score as number } : undefined;
}

function isWithin(value: unknown, min: number, max: number): boolean {
  return Number.isInteger(value) && (value as number) >= min && (value as number) <= max;
}
