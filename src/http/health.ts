import type { FastifyInstance } from 'fastify';
import type { LiveStatus, ViewStatus } from '../live/live.ts';
import { sendProblem } from './errors.ts';
import type { Kit } from './kit.ts';

/** `/healthz`: the process lives. `/readyz`: its views follow the record; 503 with what is missing, also while it stops. */
export function installHealth(app: FastifyInstance, kit: Kit): void {
  app.get('/healthz', { schema: { hide: true } }, async () => ({ status: 'ok' }));
  app.get('/readyz', { schema: { hide: true } }, async (_request, reply) => {
    const missing = whatIsMissing(kit);
    if (missing.length === 0) return { status: 'ready' };
    return sendProblem(reply, { status: 503, message: `Not ready: ${missing.join('; ')}.`, members: { missing } });
  });
}

function whatIsMissing({ draining, live }: Kit): string[] {
  if (draining) return ['the server is stopping'];
  const status = live.status();
  return status.ready ? [] : reasons(status);
}

function reasons(status: LiveStatus): string[] {
  const views = status.views.filter((view) => view.state !== 'live').map(describeView);
  if (!status.following) views.unshift(notFollowing(status));
  return views.length > 0 ? views : ['the views are not all at the position of the record'];
}

function notFollowing({ nodes }: LiveStatus): string {
  if (!nodes) return 'the change feed is not connected';
  return 'nothing was heard for a second of a node that follows the record';
}

function describeView({ service, name, state, progress, fault }: ViewStatus): string {
  const built =
    progress && progress.of > 0 ? ` (${Math.min(99, Math.floor((100 * progress.rows) / progress.of))} %)` : '';
  return `${service}/${name} is ${state}${built}${fault ? `: ${fault}` : ''}`;
}
