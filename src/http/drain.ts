import type { FastifyInstance } from 'fastify';

export interface DrainOptions {
  /** Milliseconds that requests under way and slow clients have left. */
  readonly graceMs: number;
}

const SWEEP_MS = 50;

/**
 * Stops a server: not ready first, then no new connections, streams and sockets told to come back, requests under way
 * answered, the rest cut off after the grace. `close()` alone would wait for idle kept-alive connections.
 */
export async function drain(app: FastifyInstance, { graceMs }: DrainOptions): Promise<void> {
  app.lockstep.draining = true;
  app.lockstep.connections.end();
  const sweep = setInterval(() => app.server.closeIdleConnections(), SWEEP_MS);
  const cut = setTimeout(() => {
    app.lockstep.connections.destroy();
    app.server.closeAllConnections();
  }, graceMs);
  try {
    await app.close();
  } finally {
    clearInterval(sweep);
    clearTimeout(cut);
  }
}
