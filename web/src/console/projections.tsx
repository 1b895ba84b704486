import { useCallback, useState } from 'react';
import { client, messageFor } from '../client.ts';
import { useInterval } from '../use-interval.ts';
import { bytes, count, place } from './format.ts';
import type { ProjectionStatus } from './types.ts';
import { useJob } from './use-job.ts';
import { Outcome } from './views.tsx';

interface DeadLetter {
  readonly target: string;
  readonly key: readonly string[];
  readonly reason: string;
  readonly held: number;
  readonly attempts: number;
  readonly lastAt: number;
}

/** Views in SQL, and the rows that could not be written. */
export function Projections({ projections }: { projections: readonly ProjectionStatus[] }) {
  return (
    <section className="panel" aria-labelledby="projections">
      <h2 id="projections">Projections</h2>
      {projections.length === 0 && <p className="soft">The services that run here have none.</p>}
      {projections.map((each) => (
        <Projection key={`${each.service}/${each.name}`} projection={each} />
      ))}
    </section>
  );
}

function Projection({ projection }: { projection: ProjectionStatus }) {
  const { service, state, lagBytes, retainedBytes, rows, position, rebuilds, deadLetters, fault } = projection;
  const name = `${service}/${projection.name}`;
  const [job, run] = useJob<object>();
  return (
    <article className="projection" aria-label={name}>
      <header>
        <h3>{name}</h3>
        <span className="state">
          <span className="state-dot" data-state={state} aria-hidden="true" />
          {state}
        </span>
        <button
          type="button"
          className="button small do-one"
          disabled={job.state === 'running'}
          onClick={() => run('rebuild', name)}
        >
          Reconcile
        </button>
      </header>
      <dl className="facts">
        <Fact name="Behind" value={bytes(lagBytes)} />
        <Fact name="Log kept" value={bytes(retainedBytes)} />
        <Fact name="Rows written" value={count(rows)} />
        <Fact name="Stands at" value={place(position)} />
        <Fact name="Reconciled" value={`${count(rebuilds)}×`} />
        <Fact name="Dead letters" value={count(deadLetters)} />
      </dl>
      {fault && <p className="form-error">{fault}</p>}
      <Outcome name={name} job={job} />
      {deadLetters > 0 && <DeadLetters projection={name} />}
    </article>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

const LETTERS_MS = 5000;

function DeadLetters({ projection }: { projection: string }) {
  const [letters, setLetters] = useState<readonly DeadLetter[]>([]);
  const [said, setSaid] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const load = useCallback(
    async (signal?: AbortSignal) => {
      const call = 'GET /console/api/dead-letters';
      setLetters((await client.send<DeadLetter[]>(call, { query: { projection }, signal })).body);
    },
    [projection],
  );
  useInterval(LETTERS_MS, load);
  const retry = async () => {
    setBusy(true);
    try {
      const call = 'POST /console/api/retry';
      const { body } = await client.send<{ projected: number; failed: number }>(call, { query: { projection } });
      setSaid(`${count(body.projected)} written, ${count(body.failed)} failed again.`);
      await load();
    } catch (error) {
      setSaid(messageFor(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <div className="letters">
      <header>
        <h4>Dead letters</h4>
        <button type="button" className="button small do-one" disabled={busy} onClick={retry}>
          Try again
        </button>
      </header>
      <p role="status">{said}</p>
      <ul>
        {letters.map(({ target, key, reason, held, attempts }) => (
          <li key={`${target} ${key}`}>
            <code>
              {target} {key.join(' ')}
            </code>
            <span>{reason}</span>
            <span className="soft">
              tried {count(attempts)}×{held > 0 && `, ${count(held)} later changes wait`}
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}
