import { Client, Problem } from 'lockstep/client';

/** The server of this page, as whoever is signed in. */
export const client = new Client();

/** The message of whatever was thrown. */
export function messageFor(error: unknown): string {
  if (!(error instanceof Problem)) return 'Something went wrong on this page. Reload it and try again.';
  return error.message.startsWith('jwt ') ? 'Log in again to go on.' : sentence(error.message);
}

/** The API's words are for programs too. */
function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?:]$/.test(text) ? '' : '.'}`;
}
