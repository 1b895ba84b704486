import { isStorable } from '../../src/index.ts';
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
  refuse(seconds === undefined && 'ttl_blank', textCode(message, 'message', MAX_POST));
  return { message: message as string, ttl: seconds! };
}

export function readReply(parent: unknown, { message }: Sent): { parent: string; message: string } {
  const uuid = readUuid(parent);
  refuse(uuid === undefined && 'activity_uuid_blank', longMessageCode(message));
  return { parent: uuid!, message: message as string };
}

/** To somebody by handle, or into a conversation: whichever member is sent. */
export function readMessage(sent: Sent): { message: string; handle: string } | { message: string; group: string } {
  const { message, handle, message_group_uuid } = sent;
  const code = longMessageCode(message);
  if ('message_group_uuid' in sent) {
    const group = readUuid(message_group_uuid);
    refuse(group === undefined && 'message_group_uuid_blank', code);
    return { message: message as string, group: group! };
  }
  refuse(isBlank(handle) && 'user_receiver_handle_blank', code);
  const name = (handle as string).trim().replace(/^@/, '');
  return { message: message as string, handle: pathHandle(name, 'user_receiver_handle_not_found') };
}

/** The bio is undefined where none is sent. */
export function readProfile({ bio, display_name }: Sent): { bio: string | undefined; display_name: string } {
  refuse(
    textCode(display_name, 'display_name', MAX_NAME),
    bio !== undefined && (typeof bio !== 'string' ? 'bio_invalid' : bio !== '' && wrongCode(bio, 'bio', MAX_BIO)),
  );
  return { bio: bio as string | undefined, display_name: (display_name as string).trim() };
}

/** The handle of somebody who may be there; what nobody can be called is nobody's. */
export function pathHandle(handle: string, code: string): string {
  if (!isStorable(handle)) throw new Invalid([code]);
  return handle;
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

function textCode(text: unknown, name: string, most: number, tooLong?: string): string | false {
  return isBlank(text) ? `${name}_blank` : wrongCode(text as string, name, most, tooLong);
}

function wrongCode(text: string, name: string, most: number, tooLong = `${name}_exceed_max_chars`): string | false {
  return lengthOf(text) > most ? tooLong : !isStorable(text) && `${name}_invalid`;
}

function longMessageCode(message: unknown): string | false {
  return textCode(message, 'message', MAX_REPLY, `message_exceed_max_chars_${MAX_REPLY}`);
}

function isBlank(value: unknown): boolean {
  return typeof value !== 'string' || value.trim() === '';
}

/** Characters as a person counts them, near enough: code points, not UTF-16 units. */
function lengthOf(text: string): number {
  return [...text].length;
}
