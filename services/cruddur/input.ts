import { Invalid, refuse } from './invalid.ts';
import { readUuid } from './uuid.ts';

/** What the members of a body may be, since a client may send anything. */
export type Sent = Readonly<Record<string, unknown>>;

export const MAX_POST = 280;
export const MAX_REPLY = 1024;
const MAX_NAME = 50;
const MAX_BIO = 280;
const MAX_TERM = 200;

/** Seconds until a post expires, by the `ttl` that is sent. */
const TTLS: ReadonlyMap<unknown, number> = new Map([
  ['30-days', 30 * 86_400],
  ['7-days', 7 * 86_400],
  ['3-days', 3 * 86_400],
  ['1-day', 86_400],
  ['12-hours', 12 * 3600],
  ['3-hours', 3 * 3600],
  ['1-hour', 3600],
]);

export function readPost({ message, ttl }: Sent): { message: string; ttl: number } {
  const seconds = TTLS.get(ttl);
  refuse(seconds === undefined && 'ttl_blank', ...messageCodes(message, MAX_POST, 'message_exceed_max_chars'));
  return { message: message as string, ttl: seconds! };
}

export function readReply(parent: unknown, { message }: Sent): { parent: string; message: string } {
  const uuid = readUuid(parent);
  refuse(uuid === undefined && 'activity_uuid_blank', ...longMessageCodes(message));
  return { parent: uuid!, message: message as string };
}

/** To somebody by handle, or into a conversation: whichever member is sent. */
export function readMessage(sent: Sent): { message: string; handle: string } | { message: string; group: string } {
  const { message, handle, message_group_uuid } = sent;
  const codes = longMessageCodes(message);
  if ('message_group_uuid' in sent) {
    const group = readUuid(message_group_uuid);
    refuse(group === undefined && 'message_group_uuid_blank', ...codes);
    return { message: message as string, group: group! };
  }
  refuse(isBlank(handle) && 'user_receiver_handle_blank', ...codes);
  return { message: message as string, handle: (handle as string).trim().replace(/^@/, '') };
}

export function readProfile({ bio, display_name }: Sent): { bio: string; display_name: string } {
  const name = display_name as string;
  const text = typeof bio === 'string' ? bio : '';
  refuse(
    isBlank(display_name) ? 'display_name_blank' : lengthOf(name) > MAX_NAME && 'display_name_exceed_max_chars',
    lengthOf(text) > MAX_BIO && 'bio_exceed_max_chars',
  );
  return { bio: text, display_name: name.trim() };
}

export function readTerm(term: unknown): string {
  refuse(isBlank(term) && 'search_term_blank');
  return (term as string).slice(0, MAX_TERM).replaceAll('\0', ' ');
}

/** The uuid of a path, of something that may be there; what is none is of nothing. */
export function pathUuid(text: unknown, code: string): string {
  const uuid = readUuid(text);
  if (uuid === undefined) throw new Invalid([code]);
  return uuid;
}

/** A cursor: the uuid of the last entry that the client has. */
export function readBefore(text: unknown): string | undefined {
  return text === undefined ? undefined : pathUuid(text, 'before_invalid');
}

function messageCodes(message: unknown, most: number, tooLong: string): (string | false)[] {
  return [isBlank(message) ? 'message_blank' : lengthOf(message as string) > most && tooLong];
}

function longMessageCodes(message: unknown): (string | false)[] {
  return messageCodes(message, MAX_REPLY, `message_exceed_max_chars_${MAX_REPLY}`);
}

function isBlank(value: unknown): boolean {
  return typeof value !== 'string' || value.trim() === '';
}

/** Characters as a person counts them, near enough: code points, not UTF-16 units. */
function lengthOf(text: string): number {
  return [...text].length;
}
