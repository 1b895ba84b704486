import cors from '@fastify/cors';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ClientError } from '../record/errors.ts';
import type { Config } from '../runtime/config.ts';
import { POSITION_HEADERS } from './positions.ts';

export type OriginCheck = (request: FastifyRequest) => void;

/**
 * Refuses what a page of another origin sends: writes, and WebSockets, which browsers let any page open. Lockstep has no
 * cookies, so nothing is at stake but sign-ups in a visitor's name; programs send no Origin and are let through.
 */
export function originCheck(config: Config): OriginCheck {
  const allowed = new Set(config.corsOrigins);
  if (config.publicUrl) allowed.add(new URL(config.publicUrl).origin);
  return (request) => {
    const { origin } = request.headers;
    if (origin === undefined || allowed.has('*') || allowed.has(origin)) return;
    if (URL.canParse(origin) && new URL(origin).host === request.host) return;
    throw new ClientError(403, 'Pages of this origin may not do this; add it to LOCKSTEP_CORS_ORIGINS to allow it.');
  };
}

/** Lets pages of the configured origins read answers. Without any, no request pays for it. */
export function installCors(app: FastifyInstance, origins: readonly string[]): void {
  if (origins.length === 0) return;
  app.register(cors, {
    origin: origins.includes('*') ? '*' : [...origins],
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders: [...POSITION_HEADERS, 'Retry-After'],
    maxAge: 600,
  });
}
