import type { Logger } from 'pino';

/** What the record writes to of a pino logger. */
export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;

/** For where there is nothing worth telling. */
export const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };
