import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import helmet from '@fastify/helmet';
import staticFiles from '@fastify/static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { type AnswerMissing, answerError, sendProblem } from './errors.ts';

const YEAR = 365 * 24 * 3600 * 1000;
const HIDDEN = { schema: { hide: true } };
const NOT_BUILT =
  '<!doctype html><html lang="en"><meta charset="utf-8"><title>Lockstep</title>' +
  '<h1>The pages are not built</h1><p>Run <code>npm run build</code> and load this page again. ' +
  'The API works without them: see <a href="/docs">/docs</a>.</p></html>';

export interface PagesOptions {
  /** Folder that `npm run build` writes. */
  readonly folder: string;
  /** Each has a page at `/<name>/`. */
  readonly services: readonly { readonly name: string; readonly title: string; readonly topics?: readonly string[] }[];
  /** For what is neither a page nor asked for as one. */
  readonly answerMissing: AnswerMissing;
  /** Whether clients come by HTTPS only. */
  readonly secure: boolean;
}

/** The web application: one HTML file for every page, assets whose names change with their content. API routes come first. */
export async function installPages(app: FastifyInstance, options: PagesOptions): Promise<void> {
  const { folder, services, answerMissing, secure } = options;
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        imgSrc: ["'self'", 'data:'],
        objectSrc: ["'none'"],
        baseUri: ["'none'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
      },
    },
    strictTransportSecurity: secure,
    // The page at another origin's http:// would lose its opener and nothing be gained.
    originAgentCluster: false,
  });
  await app.register(staticFiles, {
    root: folder,
    serve: false,
    cacheControl: false,
    preCompressed: true,
    suppressWarning: true,
  });
  // Somebody before a browser gets a page that says so; programs get a problem document.
  const missing = (request: FastifyRequest, reply: FastifyReply) =>
    asksForPage(request) && isBuilt(folder) ? sendPage(reply.code(404), folder) : answerMissing(request, reply);
  app.setNotFoundHandler(missing);
  app.setErrorHandler((error, request, reply) =>
    isMissing(error) ? missing(request, reply) : answerFileError(error, reply, app.lockstep.log),
  );
  const page = (_request: unknown, reply: FastifyReply) => sendPage(reply, folder);
  app.get('/', HIDDEN, page);
  app.get('/services.json', HIDDEN, async () =>
    services.map(({ name, title, topics = [] }) => ({ name, title, topics })),
  );
  const guides = guideNames(folder).map((name) => `guides/${name}`);
  for (const path of [...services.map((service) => service.name), 'console', 'guides', ...guides]) {
    app.get(`/${path}/`, HIDDEN, page);
    if (app.hasRoute({ method: 'GET', url: `/${path}` })) continue; // the service answers there itself
    app.get(`/${path}`, HIDDEN, (_request, reply) => reply.redirect(`/${path}/`, 308));
  }
  app.get<{ Params: { '*': string } }>('/assets/*', HIDDEN, (request, reply) =>
    reply.sendFile(`assets/${request.params['*']}`, { cacheControl: true, maxAge: YEAR, immutable: true }),
  );
  app.get<{ Params: { file: string } }>(
    '/:file(^[\\w-]+\\.(?:svg|ico|png|txt|webmanifest)$)',
    HIDDEN,
    (request, reply) => reply.sendFile(request.params.file, { cacheControl: true, maxAge: 3600_000 }),
  );
}

function statusOf(error: unknown): number {
  return (error as { statusCode?: number }).statusCode ?? 500;
}

/** A folder, or a path that leaves it, is as good as not there; so is what a body that cannot be read was sent to. */
function isMissing(error: unknown): boolean {
  const status = statusOf(error);
  return status >= 400 && status < 500 && status !== 412 && status !== 416;
}

/** The library's errors are not for clients. */
function answerFileError(error: unknown, reply: FastifyReply, log: Logger): FastifyReply {
  const status = statusOf(error);
  if (status === 412 || status === 416) {
    return sendProblem(reply, {
      status,
      message: 'The file is not, or has no part, as the headers of the request ask for.',
    });
  }
  return answerError(error, reply, log);
}

/** The build says which guides there are. */
function guideNames(folder: string): readonly string[] {
  const file = join(folder, 'guides.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as string[]) : [];
}

function asksForPage({ method, headers }: FastifyRequest): boolean {
  return (method === 'GET' || method === 'HEAD') && headers.accept?.startsWith('text/html') === true;
}

function isBuilt(folder: string): boolean {
  return existsSync(join(folder, 'index.html'));
}

function sendPage(reply: FastifyReply, folder: string): FastifyReply {
  if (!isBuilt(folder)) return reply.code(503).type('text/html; charset=utf-8').send(NOT_BUILT);
  return reply.header('cache-control', 'no-cache').sendFile('index.html');
}
