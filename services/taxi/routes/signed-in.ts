import type { FastifyRequest } from 'fastify';
import { bearerToken, ClientError, type Identity, type User } from '../../../src/index.ts';

/** Who is asking. Throws 401. */
export async function signedIn(request: FastifyRequest, identity: Identity): Promise<User> {
  return identity.verify(bearerToken(request));
}

export function isAdmin(user: User): boolean {
  return user.roles.includes('admin');
}

export function isDriver(user: User): boolean {
  return user.roles.includes('driver');
}

/** Throws 403. */
export async function admin(request: FastifyRequest, identity: Identity): Promise<User> {
  const user = await signedIn(request, identity);
  if (isAdmin(user)) return user;
  throw new ClientError(403, 'Only an admin may do this.');
}
