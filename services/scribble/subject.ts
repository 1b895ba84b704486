import { isIP, isIPv6, SocketAddress } from 'node:net';
import { ClientError, type Identity } from '../../src/index.ts';

/** A user or an address; exactly one of them. As points and sockets have it: bans and rollbacks compare it with theirs. */
export interface Subject {
  readonly username: string | null;
  readonly address: string | null;
}

interface Named {
  readonly username?: string;
  readonly address?: string;
}

/** Whom an admin names, however it is written. Throws 400, 404. */
export async function subjectOf({ username, address }: Named, identity: Identity): Promise<Subject> {
  if ((username === undefined) === (address === undefined))
    throw new ClientError(400, 'Name either a username or an address.');
  if (username === undefined) return { username: null, address: plainAddress(address!) };
  const name = await identity.nameOf(username);
  if (name === undefined) throw new ClientError(404, `There is no user ${JSON.stringify(username)}.`);
  return { username: name, address: null };
}

/** Throws 400 where no client can have the address. A rollback may name any: points drawn by hand have what was written. */
export function checkClient({ address }: Subject): void {
  if (address === null || isIP(address) !== 0) return;
  throw new ClientError(400, `address must be an IP address such as 203.0.113.7, found ${JSON.stringify(address)}.`);
}

/** One spelling of an address: IPv6 as short as can be, and IPv4 in its form as IPv4. What is none stays as it is. */
export function plainAddress(address: string): string {
  if (!isIPv6(address)) return address;
  return new SocketAddress({ family: 'ipv6', address }).address.replace(/^::ffff:(?=.*\.)/, '');
}
