import { groups } from 'virtual:guides';
import { Link } from 'wouter';
import { useTitle } from '../shell/use-title.ts';
import './guides.css';

/** What there is to read. */
export default function GuidesOverview() {
  useTitle('Guides');
  return (
    <div className="page guides">
      <header>
        <h1>Guides</h1>
        <p className="lead-in">How Lockstep works, how to build on it, how to run it. They came with this server.</p>
      </header>
      {groups.map(({ title, guides }) => (
        <section key={title} aria-labelledby={title}>
          <h2 id={title}>{title}</h2>
          <ul className="guide-cards">
            {guides.map(({ name, label, about }) => (
              <li key={name} className="panel">
                <h3>
                  <Link href={`/guides/${name}/`}>{label}</Link>
                </h3>
                <p>{about}</p>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </div>
  );
}
