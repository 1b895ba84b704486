import type { FastifyRequest } from 'fastify';
import { ClientError } from '../record/errors.ts';

/** The client's name for this write (`Idempotency-Key`): sent again, it is not done again. Throws 400 when it is none. */
export function idempotencyKey(request: FastifyRequest): string | undefined {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (typeof key === 'string' && /^[\x21-\x7e]{1,200}$/.test(key)) return key;
  throw new ClientError(
    400,
    'Idempotency-Key must be 1 to 200 visible ASCII characters without spaces; a UUID is a good one.',
  );
}
