import { useEffect, useState } from 'react';
import { client } from '../client.ts';
import { type Schema, sampleOf } from './sample.ts';

/** `/docs/json`, what is used of it. */
interface Described {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

interface Operation {
  readonly summary?: string;
  readonly requestBody?: { readonly content?: { readonly 'application/json'?: { readonly schema?: Schema } } };
}

export interface RouteShown {
  readonly method: string;
  readonly path: string;
  readonly summary: string | undefined;
  /** Where it can be called as it is: nothing of its path is to be filled in. */
  readonly command: string | undefined;
}

/** The routes of a service; undefined until they are known. */
export function useRoutes(name: string): readonly RouteShown[] | undefined {
  const [routes, setRoutes] = useState<readonly RouteShown[]>();
  useEffect(() => {
    client.send<Described>('GET /docs/json').then(
      ({ body }) => setRoutes(routesOf(body, name)),
      () => setRoutes([]), // it has its title at least
    );
  }, [name]);
  return routes;
}

function routesOf({ paths }: Described, name: string): RouteShown[] {
  return Object.entries(paths)
    .filter(([path]) => path === `/${name}` || path.startsWith(`/${name}/`))
    .flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({
        method: method.toUpperCase(),
        path,
        summary: operation.summary,
        command: path.includes('{') ? undefined : commandFor(method, path, operation),
      })),
    );
}

function commandFor(method: string, path: string, { requestBody }: Operation): string {
  const url = location.origin + path;
  const schema = requestBody?.content?.['application/json']?.schema;
  const verb = method === 'get' || (method === 'post' && schema) ? '' : ` -X ${method.toUpperCase()}`;
  if (!schema) return `curl${verb} ${url}`;
  const body = JSON.stringify(sampleOf(schema)).replaceAll("'", String.raw`'\''`);
  return `curl${verb} ${url} -H 'Content-Type: application/json' -d '${body}'`;
}
