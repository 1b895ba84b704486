import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { ClientError } from '../record/errors.ts';
import { http } from './node-http.ts';
import { sqlProblem } from './sql-problem.ts';
import { describeViolations } from './violation.ts';

/** An error as a client sees it. */
export interface Problem {
  readonly status: number;
  readonly message: string;
  readonly members?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What Fastify's own errors mean to a client, by code. Those that are not here are told in Fastify's words. */
const FRAMEWORK_MESSAGES: Readonly<Record<string, string>> = {
  FST_ERR_CTP_EMPTY_JSON_BODY: 'The body is empty; send JSON, or leave out the Content-Type header.',
  FST_ERR_CTP_INVALID_JSON_BODY: 'The body is not valid JSON.',
  FST_ERR_CTP_BODY_TOO_LARGE: 'The body is too large; send a smaller one.',
  FST_ERR_CTP_INVALID_MEDIA_TYPE:
    'The body has a type that is not understood; send JSON with Content-Type: application/json.',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'The body is not as long as its Content-Length header says.',
  FST_ERR_BAD_URL: 'The path is not a valid URL; check its percent-encoding.',
  FST_ERR_MAX_PARAM_LENGTH: 'A part of the path is too long; send at most 200 characters.',
};

/** An RFC 9457 problem document, with the `message` member that the services' contracts name. */
export function problemDocument(problem: Problem, requestId: string): string {
  const { status, message } = problem;
  const title = http.STATUS_CODES[status] ?? 'Error';
  return JSON.stringify({
    ...problem.members,
    type: 'about:blank',
    title,
    status,
    detail: message,
    message,
    requestId,
  });
}

export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  for (const [name, value] of Object.entries(problem.headers ?? {})) reply.header(name, value);
  return reply
    .code(problem.status)
    .header('content-type', 'application/problem+json; charset=utf-8')
    .header('cache-control', 'no-store')
    .send(problemDocument(problem, reply.request.id));
}

/** What may be told of an error; undefined when that is nothing (a fault of the server). */
export function problemOf(error: unknown): Problem | undefined {
  if (error instanceof ClientError) return error;
  if (!(error instanceof Error)) return undefined;
  return sqlProblem(error) ?? frameworkProblem(error as FastifyError);
}

function frameworkProblem(error: FastifyError): Problem | undefined {
  if (error.validation) return { status: 400, message: describeViolations(error.validation, error.validationContext) };
  const status = error.statusCode ?? 500;
  // Only what the framework itself raised: a library's error with a statusCode may hold what clients must not see.
  const isFramework = error.code?.startsWith('FST_') || error instanceof SyntaxError;
  if (!isFramework || status < 400 || status > 499) return undefined;
  return { status, message: FRAMEWORK_MESSAGES[error.code] ?? frameworkWords(error) };
}

function frameworkWords(error: FastifyError): string {
  if (error instanceof SyntaxError) return FRAMEWORK_MESSAGES.FST_ERR_CTP_INVALID_JSON_BODY!;
  return `${error.message.replace(/\.$/, '')}.`;
}

/** Answers an error: a client's with what to do, a fault of the server with nothing but the request's id. */
export function answerError(error: unknown, reply: FastifyReply, log: Logger): FastifyReply {
  const problem = problemOf(error);
  if (problem) return sendProblem(reply, problem);
  const { id, method, url } = reply.request;
  const told = { err: error, requestId: id, method, path: url.split('?', 1)[0] };
  if (isCutOff(error, reply)) log.debug(told, 'the client left');
  else log.error(told, 'request failed');
  return sendProblem(reply, {
    status: 500,
    message: `The server failed to answer. Try again; if it stays, report the request id ${id}.`,
  });
}

/** What was being read for a client ends with its connection, which is no fault of the server. */
function isCutOff(error: unknown, { request }: FastifyReply): boolean {
  return request.raw.socket.destroyed && (error as NodeJS.ErrnoException | null)?.code === 'ERR_STREAM_PREMATURE_CLOSE';
}

/** An error as a member of a message, where there is no response to answer it: on a socket, in a stream of lines. */
export function errorMember(error: unknown, log: Logger): Readonly<Record<string, unknown>> {
  const problem = problemOf(error);
  if (!problem) log.error({ err: error }, 'message failed');
  const { status, message, members }: Problem = problem ?? {
    status: 500,
    message: 'The server failed to answer. Try again.',
  };
  return { ...members, status, message };
}

interface Route {
  readonly method: string;
  readonly url: string;
  readonly pattern: RegExp;
  /** Sorts before that of a route with a parameter where this one has a name. */
  readonly shape: string;
}

/** Answers what no route of the server is for. */
export type AnswerMissing = (request: FastifyRequest, reply: FastifyReply) => FastifyReply;

/** Problem documents for every error of `app`. Returns how to answer paths and methods that it has no route for. */
export function installErrors(app: FastifyInstance, log: Logger): AnswerMissing {
  const routes: Route[] = [];
  app.addHook('onRoute', ({ method, url }) => {
    if (/[*(]/.test(url)) return;
    for (const each of [method].flat())
      routes.push({ method: each, url, pattern: patternOf(url), shape: shapeOf(url) });
  });
  app.setErrorHandler((error, _request, reply) => answerError(error, reply, log));
  return (request, reply) => sendProblem(reply, missing(app, request, routes));
}

/** `/users/:name` as an expression. */
function patternOf(url: string): RegExp {
  const parts = url
    .split('/')
    .map((part) => (part.startsWith(':') ? '[^/]+' : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')));
  return new RegExp(`^${parts.join('/')}$`);
}

function shapeOf(url: string): string {
  const parts = url.replace(/\/$/, '').split('/');
  return parts.map((part) => (part.startsWith(':') ? 'b' : 'a')).join('');
}

function missing(app: FastifyInstance, request: FastifyRequest, routes: readonly Route[]): Problem {
  const methods = methodsOf(app, request.url.split('?', 1)[0]!, routes);
  if (methods.length === 0 || methods.includes(request.method)) {
    return { status: 404, message: 'There is nothing at this path. The routes are listed at /docs.' };
  }
  const allow = methods.sort().join(', ');
  return { status: 405, message: `This path takes ${allow}, not ${request.method}.`, headers: { allow } };
}

/** Those of the route that a path is: of `/rows/list`, where there is one, and not of `/rows/:id` besides. */
function methodsOf(app: FastifyInstance, path: string, routes: readonly Route[]): string[] {
  const found = routes.filter(({ method, url, pattern }) => {
    if (pattern.test(path)) return true;
    // A service's `/` is told of as its prefix, and is there with the stroke too.
    return path.endsWith('/') && pattern.test(path.slice(0, -1)) && app.hasRoute({ method, url: `${url}/` });
  });
  const [nearest] = found.map(({ shape }) => shape).sort();
  return [...new Set(found.filter(({ shape }) => shape === nearest).map(({ method }) => method))];
}
