import { Command } from '../copy/command.tsx';
import { NotFound } from '../shell/not-found.tsx';
import { useServices } from '../shell/use-services.ts';
import { useTitle } from '../shell/use-title.ts';
import { useRoutes } from './api.ts';
import { LivePanel } from './live-panel.tsx';
import './own.css';

/** A service that has no page of its own: what it is, what it tells live, and its routes. */
export default function OwnPage({ params: { name } }: { params: { name: string } }) {
  const services = useServices();
  const service = services?.find((each) => each.name === name);
  const routes = useRoutes(name);
  useTitle(service ? name : undefined);
  if (services && !service) return <NotFound />;
  return (
    <div className="page own-page">
      <header>
        <h1>{name}</h1>
        <p className="lead-in">{service?.title}</p>
      </header>
      <section className="panel" aria-labelledby="routes">
        <h2 id="routes">Routes</h2>
        {routes?.length === 0 && <p className="soft">It has none that are described.</p>}
        <ul className="own-routes">
          {routes?.map(({ method, path, summary, command }) => (
            <li key={`${method} ${path}`}>
              <p>
                <b>{method}</b> <code>{path}</code> {summary && <span className="soft">{summary}</span>}
              </p>
              {command && <Command text={command} />}
            </li>
          ))}
        </ul>
        <p className="soft">
          With their schemas in <a href="/docs">the API</a>.
        </p>
      </section>
      {service && service.topics.length > 0 && <LivePanel service={name} topics={service.topics} />}
    </div>
  );
}
