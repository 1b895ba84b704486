import { Link } from 'wouter';
import { Command } from '../copy/command.tsx';
import type { Service } from '../shell/use-services.ts';

/** Both work while this server runs: the test has a database of its own. */
const COMMANDS = `npx lockstep new my-service
npx lockstep test my-service`;

/** How to begin one's own; those that run already. */
export function OwnTile({ services }: { services: readonly Service[] }) {
  return (
    <article className="panel tile own" aria-labelledby="tile-own">
      <header>
        <h3 id="tile-own">
          <Link href="/guides/write-a-service/">Yours</Link>
        </h3>
        <p className="tile-about">A table, a view and routes, in seventy lines</p>
      </header>
      <div className="tile-body">
        {services.length > 0 ? (
          <ul className="own-services">
            {services.map(({ name, title }) => (
              <li key={name}>
                <Link href={`/${name}/`}>{name}</Link> {title}
              </li>
            ))}
          </ul>
        ) : (
          <pre className="excerpt" aria-hidden="true">
            {EXCERPT}
          </pre>
        )}
        <p className="tile-line">A new one runs here from the server’s next start on.</p>
      </div>
      <Command text={COMMANDS} label="Copy the commands for a service of your own" />
    </article>
  );
}

/** What `lockstep new` writes, in short. */
const EXCERPT = `export default defineService({
  name: 'my-service',
  views: {
    scores: leaderboard<Score>({
      table: 'my_service.scores',
      player: 'who', score: 'points' }),
  },
  topics: …,
  routes(app, { record, views }) { … },
});`;
