import { readFileSync } from 'node:fs';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';

/** No outside requests, no inline scripts. The page sets styles on its elements. */
const CSP =
  "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";

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
    uiConfig: { validatorUrl: null },
    theme: { title: 'Lockstep API' },
  });
}

function version(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
