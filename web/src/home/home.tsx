import { type ComponentType, lazy, Suspense } from 'react';
import { Link } from 'wouter';
import { useServices } from '../shell/use-services.ts';
import { useTitle } from '../shell/use-title.ts';
import './home.css';
import { OwnTile } from './own-tile.tsx';
import { PathOfData } from './path-of-data.tsx';
// Before the tiles come: their places have their height.
import './tile.css';

/** Those that Lockstep ships with; each is loaded where it runs. */
const TILES: Readonly<Record<string, ComponentType>> = {
  leaderboard: lazy(() => import('./leaderboard-tile.tsx')),
  heroes: lazy(() => import('./heroes-tile.tsx')),
  taxi: lazy(() => import('./taxi-tile.tsx')),
  scribble: lazy(() => import('./scribble-tile.tsx')),
  cruddur: lazy(() => import('./cruddur-tile.tsx')),
};

const PROMISES = [
  ['Durable first', 'A write is answered once its transaction is on disk. What was answered survives a power cut.'],
  [
    'In commit order, whole',
    'Views apply transactions as they were committed, exactly once, and a read never sees half of one.',
  ],
  [
    'You read what you wrote',
    'When a write is answered, the views show it. Every answer says which position it reflects.',
  ],
  ['Provable', 'A view can be compared with the record at any moment, and rebuilt from it while it serves.'],
] as const;

export default function Home() {
  useTitle();
  return (
    <div className="page home">
      <section className="hero">
        <h1>
          Write once.
          <br />
          Every view follows.
        </h1>
        <div>
          <p className="lead">
            Lockstep pairs a durable database with fast in-memory reads. Applications write to PostgreSQL only; ranks,
            caches and streams are derived from its log, in commit order, about a millisecond behind.
          </p>
          <p className="actions">
            <Link href="/console/" className="button primary">
              Watch it in the console
            </Link>
            <Link href="/guides/" className="button">
              Read the guides
            </Link>
          </p>
        </div>
      </section>
      <PathOfData />
      <Services />
      <section aria-labelledby="promises">
        <h2 id="promises">What it promises</h2>
        <ul className="promises">
          {PROMISES.map(([title, text]) => (
            <li key={title}>
              <h3>{title}</h3>
              <p>{text}</p>
            </li>
          ))}
        </ul>
      </section>
    </div>
  );
}

function Services() {
  const services = useServices();
  const running = new Set(services?.map(({ name }) => name) ?? Object.keys(TILES));
  const shown = Object.entries(TILES).filter(([name]) => running.has(name));
  return (
    <section aria-labelledby="services">
      <h2 id="services">Running here, now</h2>
      <div className="tiles">
        {shown.map(([name, Shown]) => (
          <Suspense key={name} fallback={<div className="panel tile" />}>
            {services ? <Shown /> : <div className="panel tile" />}
          </Suspense>
        ))}
        <OwnTile services={services?.filter(({ name }) => !(name in TILES)) ?? []} />
      </div>
    </section>
  );
}
