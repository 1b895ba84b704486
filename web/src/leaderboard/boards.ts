import type { Boards, Entry } from '../../../services/leaderboard/boards.ts';

export type { Boards, Entry };

export type Window = keyof Boards;

/** Windows as a person chooses them. */
export const CHOICES: readonly (readonly [Window, string])[] = [
  ['overall', 'All time'],
  ['monthly', 'Month'],
  ['daily', 'Day'],
];

export const WINDOWS: readonly Window[] = ['overall', 'monthly', 'daily'];

/** Entries with a key that stays with a game while it moves: two games alike in everything are told apart by their order. */
export function keyed(entries: readonly Entry[]): { key: string; entry: Entry }[] {
  const seen = new Map<string, number>();
  return entries.map((entry) => {
    const name = `${entry.username} ${entry.gamedate} ${entry.score} ${entry.level}`;
    const times = seen.get(name) ?? 0;
    seen.set(name, times + 1);
    return { key: `${name} ${times}`, entry };
  });
}
