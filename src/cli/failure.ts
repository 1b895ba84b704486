import { styleText } from 'node:util';

export const EXIT = { done: 0, failed: 1, wrongUsage: 2 } as const;

/** Ends a command that did its work and found something wrong: all is said already, only the exit code is left. */
export class Failed extends Error {
  override readonly name = 'Failed';
}

/** Wrong usage that the command line's own parser cannot see. */
export class WrongUsage extends Error {
  override readonly name = 'WrongUsage';
}

/** An error in one readable line, with its causes; with `debug` its stack. */
export function describeError(error: unknown, { debug }: { debug: boolean }): string {
  const label = styleText('red', 'error:');
  if (debug && error instanceof Error && error.stack) return `${label} ${error.stack}`;
  return `${label} ${messages(error)
    .join(': ')
    .replace(/\s*\n\s*/g, ' ')}`;
}

/** The error's message, then those of its causes that say more. */
function messages(error: unknown): string[] {
  if (!(error instanceof Error)) return [String(error)];
  const own = error.message || (error instanceof AggregateError ? messages(error.errors[0]).join(': ') : error.name);
  const causes = error.cause === undefined ? [] : messages(error.cause);
  return [own, ...causes.filter((cause) => !own.includes(cause))];
}
