import { readFileSync } from 'node:fs';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { DOCS_PAGE, DOCS_SCRIPT, DOCS_STYLE, THEME_SCRIPT } from './docs-page.ts';

/** No outside requests, no inline scripts. The page sets styles on its elements. */
const CSP =
  "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";

const PAGE = /^\/docs\/?(\?|$)/;

/** The routes' schemas as OpenAPI: a page at `/docs`, the document at `/docs/json` and `/docs/yaml`. */
export function installOpenApi(
  app: FastifyInstance,
  services: readonly { readonly name: string; readonly title: string }[],
): void {
  app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Lockstep',
        version: version(),
        description: 'Errors are RFC 9457 problem documents with a `message`.',
      },
      tags: services.map(({ name, title }) => ({ name, description: title })),
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } } },
    },
  });
  app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: CSP,
    theme: {
      css: [{ filename: 'docs.css', content: DOCS_STYLE }],
      js: [
        { filename: 'theme.js', content: THEME_SCRIPT },
        { filename: 'docs.js', content: DOCS_SCRIPT },
      ],
    },
    uiHooks: {
      // Its own page has another's logo, and a phone would lay it out as a desktop's.
      preHandler: (request, reply, done) =>
        PAGE.test(request.url) ? reply.type('text/html; charset=utf-8').send(DOCS_PAGE) : done(),
    },
  });
}

function version(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
