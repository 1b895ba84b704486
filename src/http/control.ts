import { createHash } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import Fastify, { type FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { Type } from 'typebox';
import type { Progress, ViewHandle } from '../live/live.ts';
import { ClientError } from '../record/errors.ts';
import { errorMember, installErrors } from './errors.ts';
import { schemaController } from './validation.ts';

/** What fits into `sockaddr_un.sun_path` beside its final zero (unix(7)). */
const MAX_PATH_BYTES = 107;
const PROGRESS_MS = 100;

export interface Rebuildable {
  rebuild(progress?: Progress): Promise<void>;
  verify(progress?: Progress): Promise<unknown>;
  status(): { readonly state: string };
}

export interface ControlOptions extends ControlRoutesOptions {
  readonly dataDir: string;
}

/** What operators may do: with the command line, or in the console. */
export interface ControlRoutesOptions {
  readonly log: Logger;
  /** What `lockstep status` shows, as JSON. */
  status(): unknown;
  /** By `<service>/<view>`. */
  readonly views: ReadonlyMap<string, ViewHandle>;
  /** By `<service>/<projection>`; rebuilt and verified like views, by the node that follows them. */
  readonly projections?: ReadonlyMap<string, Rebuildable>;
}

/** A line of `POST /verify` and `/rebuild`: progress lines, then one with a result or an error. */
export type ControlLine =
  | { readonly progress: { readonly view: string; readonly rows: number; readonly of: number } }
  | { readonly result: readonly unknown[] }
  | { readonly error: { readonly status: number; readonly message: string } };

/** Where the running server of a data folder listens for the command line. */
export function controlSocketPath(dataDir: string): string {
  const path = join(resolve(dataDir), 'run', 'control.sock');
  if (Buffer.byteLength(path) <= MAX_PATH_BYTES) return path;
  const hash = createHash('sha256').update(resolve(dataDir)).digest('hex').slice(0, 32);
  return `/tmp/lockstep-${hash}/control.sock`;
}

/**
 * A server for the command line on a Unix socket that only this user can open. The caller holds the data folder, so a
 * socket file that is there already is a dead server's.
 */
export async function startControl(
  options: ControlOptions,
): Promise<{ readonly path: string; close(): Promise<void> }> {
  const path = controlSocketPath(options.dataDir);
  ownFolder(dirname(path));
  rmSync(path, { force: true });
  const app = controlServer(options);
  await app.listen({ path });
  chmodSync(path, 0o600);
  return {
    path,
    async close() {
      app.server.closeAllConnections();
      await app.close();
      rmSync(path, { force: true });
    },
  };
}

/** The routes alone, for tests without a socket. */
export function controlServer(options: ControlOptions): FastifyInstance {
  const app = Fastify({ logger: false, schemaController });
  installErrors(app, options.log);
  controlRoutes(app, options);
  return app;
}

/** `GET /status`, `POST /verify` and `POST /rebuild`. Whoever registers them says who may ask. */
export function controlRoutes(app: FastifyInstance, options: ControlRoutesOptions): void {
  app.get('/status', { schema: { hide: true } }, async () => options.status());
  const { projections = new Map<string, Rebuildable>(), log } = options;
  const views = new Map<string, Rebuildable>([...options.views, ...projections]);
  job(app, { views, log }, '/verify', (view, progress) => view.verify(progress));
  job(app, { views, log }, '/rebuild', async (view, progress) => {
    await view.rebuild(progress);
    return view.status();
  });
}

type Work<View> = (view: View, progress: Progress) => Promise<unknown>;

interface JobOptions<View> {
  readonly views: ReadonlyMap<string, View>;
  readonly log: Logger;
}

/** `POST <path>?view=<service>/<view>`, every view without the parameter. The work goes on if the client leaves. */
function job<View extends Rebuildable>(
  app: FastifyInstance,
  { views, log }: JobOptions<View>,
  path: string,
  work: Work<View>,
): void {
  const schema = { hide: true, querystring: Type.Object({ view: Type.Optional(Type.String({ maxLength: 200 })) }) };
  app.post<{ Querystring: { view?: string } }>(path, { schema }, async (request, reply) => {
    const chosen = choose(views, request.query.view);
    return reply.type('application/x-ndjson').send(Readable.from(encoded(run(chosen, work, log))));
  });
}

/** All but the projections that another node follows, unless one is named. */
function choose<View extends Rebuildable>(
  views: ReadonlyMap<string, View>,
  wanted: string | undefined,
): [string, View][] {
  const all = [...views];
  if (wanted === undefined) return all.filter(([, view]) => view.status().state !== 'standby');
  const chosen = all.filter(([name]) => name === wanted || name.endsWith(`/${wanted}`));
  if (chosen.length === 1) return chosen;
  const names = all.map(([name]) => name).join(', ') || 'none';
  const reason = chosen.length === 0 ? 'There is no view' : 'There is more than one view';
  throw new ClientError(chosen.length === 0 ? 404 : 400, `${reason} ${JSON.stringify(wanted)}; views: ${names}.`);
}

async function* run<View>(
  views: readonly [string, View][],
  work: Work<View>,
  log: Logger,
): AsyncGenerator<ControlLine> {
  const results: unknown[] = [];
  try {
    for (const [name, view] of views) results.push(yield* follow(name, view, work));
    yield { result: results };
  } catch (error) {
    // Operators are told the reason, whatever it is.
    const { message } = error as Error;
    yield { error: { ...(errorMember(error, log) as { status: number; message: string }), message } };
  }
}

/** The latest progress, at most every 100 ms, until the work is done; returns what it gives. */
async function* follow<View>(name: string, view: View, work: Work<View>): AsyncGenerator<ControlLine, unknown> {
  let latest: ControlLine | undefined;
  const done = work(view, (rows, of) => {
    latest = { progress: { view: name, rows, of } };
  });
  const settled = done.then(
    () => true,
    () => true,
  );
  while (!(await Promise.race([settled, delay(PROGRESS_MS, false)]))) {
    if (latest) yield latest;
    latest = undefined;
  }
  if (latest) yield latest;
  return done;
}

async function* encoded(lines: AsyncIterable<ControlLine>): AsyncGenerator<string> {
  for await (const line of lines) yield `${JSON.stringify(line)}\n`;
}

/** The folder for a socket, opened to nobody else. One in `/tmp` that somebody else has put there is refused. */
function ownFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const found = lstatSync(folder);
  if (!found.isDirectory() || found.uid !== process.getuid?.()) {
    throw new Error(`${folder} is not a folder of this user; remove it, or choose a shorter LOCKSTEP_DATA.`);
  }
  chmodSync(folder, 0o700);
}
