import type { Problem } from './errors.ts';

const RETRY = { 'retry-after': '1' };
const BUSY: Problem = {
  status: 503,
  message: 'The record is busy or not reachable. Try again in a moment.',
  headers: RETRY,
};

/** By SQLSTATE; two characters stand for their whole class. Source: PostgreSQL manual, appendix A. */
const PROBLEMS: Readonly<Record<string, Problem>> = {
  '22': {
    status: 400,
    message: 'A value is malformed or out of range; check the numbers, dates and texts that are sent.',
  },
  '23': { status: 409, message: 'The record refuses this: it contradicts what is stored.' },
  '23502': { status: 400, message: 'A value that must be there is missing.' },
  '23503': { status: 409, message: 'This refers to something that is not there, or that something else still needs.' },
  '23505': { status: 409, message: 'This exists already.' },
  '23514': { status: 400, message: 'A value is outside what is allowed.' },
  '54000': { status: 400, message: 'A value is too long to be stored; send a shorter one.' },
  '40001': { status: 503, message: 'Another change came in between. Try again.', headers: RETRY },
  '40P01': { status: 503, message: 'Another change came in between. Try again.', headers: RETRY },
  '08': BUSY,
  '53': BUSY,
  '57P': BUSY,
};

/**
 * What a client may know of a PostgreSQL error that no service has caught: never its text, which names tables and values.
 * Undefined for other errors and for those that are the server's fault (wrong SQL, missing rights).
 */
export function sqlProblem(error: Error): Problem | undefined {
  const { code, severity } = error as Error & { code?: unknown; severity?: unknown };
  if (typeof code !== 'string' || code.length !== 5 || typeof severity !== 'string') return undefined;
  return PROBLEMS[code] ?? PROBLEMS[code.slice(0, 3)] ?? PROBLEMS[code.slice(0, 2)];
}
