import { Link } from 'wouter';
import { useTitle } from '../shell/use-title.ts';
import './home.css';
import { Leaders } from './leaders.tsx';
import { PathOfData } from './path-of-data.tsx';

const PROMISES = [
  [
    'Durable before acknowledged',
    'A write is answered once its transaction is on disk. What was answered survives a power cut.',
  ],
  [
    'In commit order, whole',
    'Views apply transactions as they were committed, exactly once, and a read never sees half of one.',
  ],
  [
    'You read what you wrote',
    'An answered write is already on the boards. Every answer says which position it reflects.',
  ],
  ['Provable', 'A view can be compared with the record at any moment, and rebuilt from it while it serves.'],
] as const;

export default function Home() {
  useTitle();
  return (
    <div className="page home">
      <section className="hero">
        <div>
          <h1>
            Write once.
            <br />
            Every view follows.
          </h1>
          <p className="lead">
            Lockstep pairs a durable database with fast in-memory reads. Applications write to PostgreSQL only; ranks,
            caches and streams are derived from its log, in commit order, about a millisecond behind.
          </p>
          <p className="actions">
            <Link href="/leaderboard/" className="button primary">
              Open the leaderboard
            </Link>
            <a href="/docs" className="button">
              Browse the API
            </a>
          </p>
        </div>
        <Leaders />
      </section>
      <PathOfData />
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
