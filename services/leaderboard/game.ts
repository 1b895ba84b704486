import type { Settings } from './settings.ts';

/** What a player reaches in one game. */
export interface Result {
  readonly level: number;
  readonly score: number;
}

/** Level and score as sent, or what is wrong with them, in words for the sender. */
export function readResult(sent: { level?: unknown; score?: unknown }, settings: Settings): Result | string {
  const level = wholeNumber(sent.level);
  if (!within(level, settings.minLevel, settings.maxLevel))
    return `level must be a whole number from ${settings.minLevel} to ${settings.maxLevel}, found ${found(sent.level)}`;
  const score = wholeNumber(sent.score);
  if (!within(score, settings.minScore, settings.maxScore))
    return `score must be a whole number from ${settings.minScore} to ${settings.maxScore}, found ${found(sent.score)}`;
  return { level, score };
}

/** A whole number, or one as digits, such as `"6541"`; otherwise NaN. */
function wholeNumber(value: unknown): number {
  if (typeof value === 'number') return Number.isInteger(value) ? value : Number.NaN;
  return typeof value === 'string' && /^-?\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
}

function within(value: number, min: number, max: number): boolean {
  return value >= min && value <= max;
}

/** A value in a message: short whatever was sent. */
export function found(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 40)}...` : text;
}
