import { Client, Problem } from 'lockstep/client';

/** The server of this page, as whoever is signed in. */
export const client = new Client();

/** The message of whatever was thrown. */
export function messageFor(error: unknown): string {
  if (!(error instanceof Problem)) return 'Something went wrong on this page. Reload it and try again.';
  return error.message.startsWith('jwt ') ? 'Log in again to go on.' : error.message;
}
