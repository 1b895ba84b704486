import { ClientError } from '../record/errors.ts';

const MIN_PASSWORD = 8;
const MAX_PASSWORD = 256;
const MAX_USERNAME = 128;
const MAX_EMAIL = 254;
const MAX_EMAIL_LOCAL = 64;

const PARTS: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/\p{Lu}/u, 'an upper-case letter'],
  [/\p{Ll}/u, 'a lower-case letter'],
  [/\p{Nd}/u, 'a digit'],
];
// The first character is none of ". - + @", so that no name is a path's "." or ".." or looks like an option.
const USERNAME = /^[\p{L}\p{N}_][\p{L}\p{M}\p{N}_.+@-]*$/u;
// The WHATWG's rule for <input type=email>, with at least one dot in the domain.
const EMAIL =
  /^[\w.!#$%&'*+/=?^`{|}~-]+@[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+$/i;
const ROLE = /^[a-z][a-z0-9_-]{0,63}$/;

/** One spelling for what looks the same (Unicode NFKC), so that a password typed on another keyboard still fits. */
export function normalPassword(password: string): string {
  return password.normalize('NFKC');
}

/** The password to hash. Throws 400 naming every part that is missing. */
export function checkPassword(password: string): string {
  const normal = normalPassword(password);
  const length = [...normal].length;
  if (length > MAX_PASSWORD) throw new ClientError(400, `The password has more than ${MAX_PASSWORD} characters.`);
  const missing = PARTS.flatMap(([pattern, name]) => (pattern.test(normal) ? [] : name));
  if (length < MIN_PASSWORD) missing.unshift(`at least ${MIN_PASSWORD} characters`);
  if (missing.length > 0) throw new ClientError(400, `The password needs ${enumerate(missing)}.`);
  return normal;
}

/** The name to store: in Unicode NFKC. Nothing is trimmed or replaced silently. Throws 400. */
export function checkUsername(username: string): string {
  const normal = username.normalize('NFKC');
  const length = [...normal].length;
  if (length === 0 || length > MAX_USERNAME) {
    throw new ClientError(400, `The username has ${length} characters; it needs 1 to ${MAX_USERNAME}.`);
  }
  if (!USERNAME.test(normal)) {
    throw new ClientError(
      400,
      'The username may hold letters, digits and any of "_ . - + @", and starts with a letter, a digit or "_".',
    );
  }
  return normal;
}

/** What makes a name unique: names that differ in case only are one name. */
export function usernameKey(username: string): string {
  return username.normalize('NFKC').toLowerCase();
}

/** Throws 400 when it cannot be an address. */
export function checkEmail(email: string): string {
  const local = email.lastIndexOf('@');
  if (email.length > MAX_EMAIL || local > MAX_EMAIL_LOCAL || !EMAIL.test(email)) {
    throw new ClientError(400, 'The e-mail address is none; it looks like name@example.org.');
  }
  return email;
}

/** Throws 400 when it cannot be a role. */
export function checkRole(role: string): string {
  if (ROLE.test(role)) return role;
  throw new ClientError(400, 'A role is 1 to 64 of "a-z 0-9 _ -" and starts with a letter, such as "admin".');
}

function enumerate(parts: readonly string[]): string {
  return parts.length < 2 ? parts.join() : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`;
}
