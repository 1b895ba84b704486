import type { Running } from './process.ts';

/** A server under test. */
export interface HttpServer extends Running {
  readonly name: string;
  readonly port: number;
  /** A valid token of a user. */
  tokenOf(username: string): string;
}
