import { useEffect, useState } from 'react';
import { client } from '../client.ts';
import { Command } from '../copy/command.tsx';
import { NotFound } from '../shell/not-found.tsx';
import { useServices } from '../shell/use-services.ts';
import { useTitle } from '../shell/use-title.ts';
import './own.css';

/** `/docs/json`, what is used of it. */
interface Described {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly summary?: string }>>>>;
}

interface RouteShown {
  readonly method: string;
  readonly path: string;
  readonly summary: string | undefined;
}

/** A service that has no page of its own: what it is, and its routes. */
export default function OwnPage({ params: { name } }: { params: { name: string } }) {
  const services = useServices();
  const service = services?.find((each) => each.name === name);
  const [routes, setRoutes] = useState<readonly RouteShown[]>([]);
  useEffect(() => {
    client.send<Described>('GET /docs/json').then(
      ({ body }) => setRoutes(routesOf(body, name)),
      () => {}, // it has its title at least
    );
  }, [name]);
  useTitle(service ? name : undefined);
  if (services && !service) return <NotFound />;
  return (
    <div className="page own-page">
      <h1>{name}</h1>
      <p className="lead-in">{service?.title}</p>
      <section className="panel" aria-labelledby="routes">
        <h2 id="routes">Routes</h2>
        <ul className="own-routes">
          {routes.map(({ method, path, summary }) => (
            <li key={`${method} ${path}`}>
              <p>
                <b>{method.toUpperCase()}</b> <code>{path}</code> {summary && <span className="soft">{summary}</span>}
              </p>
              {method === 'get' && !path.includes('{') && <Command text={`curl ${location.origin}${path}`} />}
            </li>
          ))}
        </ul>
        <p className="soft">
          With their schemas in <a href="/docs">the API</a>.
        </p>
      </section>
    </div>
  );
}

function routesOf({ paths }: Described, name: string): RouteShown[] {
  return Object.entries(paths)
    .filter(([path]) => path === `/${name}` || path.startsWith(`/${name}/`))
    .flatMap(([path, methods]) => Object.entries(methods).map(([method, { summary }]) => ({ method, path, summary })));
}
